"""Streams in Redis as figures."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.gateway.queues import Queues, job_figures, lag_of
from scurry.telemetry.prometheus import page
from scurry.wire.errors import Unavailable
from scurry.wire.names import Keys


class Redis:
    """Answers as Redis does; without a lag it is an old one."""

    keys = Keys("ns")

    def __init__(self, partitions: int = 1, lag: int | None = 4, *, away: bool = False) -> None:
        self.partitions, self._lag, self._away = partitions, lag, away

    async def command(self, *words: Any) -> Any:
        if self._away or (words[0] == "XINFO" and words[2] == "ns:bulk"):
            raise Unavailable("unavailable", "no such key")
        if words[0] == "XLEN":
            return len(words[1])
        return [[b"name", b"scurry-job", *([b"lag", self._lag] if self._lag is not None else [])]]

    async def job(self) -> dict[str, str]:
        return {"restarts": "3", "checkpoint": "1700000000500", "memory": "7", "most_memory": "9", "started": ""}


@pytest.mark.parametrize(("partitions", "streams"), [(1, {"ns:requests"}), (2, {"ns:requests:0", "ns:requests:1"})])
async def test_each_stream_has_its_length_and_lag(partitions, streams):
    """Those of all partitions; dead letters have no reader and no lag."""
    lines = page(await Queues(Redis(partitions)).figures()).splitlines()
    for stream in streams:
        assert f'scurry_stream_length{{stream="{stream}"}} {len(stream)}' in lines
        assert f'scurry_stream_lag{{stream="{stream}"}} 4' in lines
    assert 'scurry_stream_length{stream="ns:dead"} 7' in lines
    assert not [line for line in lines if line.startswith('scurry_stream_lag{stream="ns:bulk"')]
    assert "scurry_job_restarts_total 3" in lines


async def test_the_jobs_notes_are_figures():
    """Times in seconds; a gap is none until there was one; what was not noted is left out."""
    lines = page(await Queues(Redis()).figures()).splitlines()
    assert "scurry_job_checkpoint_timestamp_seconds 1700000000.5" in lines
    assert {"scurry_job_gaps_total 0", "scurry_redis_memory_bytes 7", "scurry_redis_most_memory_bytes 9"} <= set(lines)
    assert not [line for line in lines if line.startswith("scurry_job_started_timestamp_seconds")]
    gaps = [figure.value for figure in job_figures({"gaps": "2"}) if figure.name == "scurry_job_gaps_total"]
    assert gaps == [2]


async def test_what_redis_does_not_tell_is_left_out():
    """An old Redis has no lag; one that is away, nothing."""
    assert "scurry_stream_lag" not in page(await Queues(Redis(lag=None)).figures())
    assert await Queues(Redis(away=True)).figures() == []
    assert lag_of([{b"name": b"another", b"lag": 3}]) is None
