"""Who waits and who does not, through the real job: by the order of answers, never by the clock."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import redis
from tests.e2e.test_limits import ROW, WAIT_S, post
from tests.e2e.test_lost_worker import slow_model

from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_tensor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import Stack

FIRST, THEN = 12, 24
REPLIES = "scurry:replies:priority"
BODY = InferRequest(inputs=[to_tensor("x", np.ones((1, 1), np.float32))]).SerializeToString()
TWO_LEVELS = {"dynamic_batching": {"priority_levels": 2, "default_priority_level": 2}}


@pytest.fixture
def client(stack: Stack) -> Iterator[redis.Redis]:
    """Redis itself, and nothing in the reply stream."""
    with redis.Redis.from_url(stack.redis_url, protocol=2) as opened:
        opened.delete(REPLIES)
        yield opened


def write(client: redis.Redis, stream: str, model: str, ids: list[str], replies: str, **more: Any) -> None:
    """Requests in one stream, all at once."""
    pile = client.pipeline(transaction=False)
    for name in ids:
        pile.xadd(stream, {"model": model, "id": name, "request": BODY, "reply": replies, **more})
    pile.execute()


def ids_so_far(client: redis.Redis) -> list[str]:
    """The ids in the order of their answers, all of them ok."""
    entries = [fields for _, fields in client.xrange(REPLIES)]
    assert {fields[b"status"] for fields in entries} <= {b"ok"}
    return [fields[b"id"].decode() for fields in entries]


def order(client: redis.Redis, count: int) -> list[str]:
    """The same once so many are there."""
    end = time.monotonic() + WAIT_S
    while client.xlen(REPLIES) < count:
        assert time.monotonic() < end, f"{client.xlen(REPLIES)} of {count} are answered"
        time.sleep(0.05)
    return ids_so_far(client)


def pile_up(client: redis.Redis, stream: str, model: str, **more: Any) -> set[str]:
    """A backlog of two waves; returned when some of the first are answered are the ids of the second."""
    waves = [{f"{model}-{wave}-{number}" for number in range(count)} for wave, count in (("a", FIRST), ("b", THEN))]
    for wave in waves:
        write(client, stream, model, sorted(wave), REPLIES, **more)
        time.sleep(0.5)  # the first are being computed, the second pile up behind them
    order(client, 1)
    assert len(waves[1].intersection(ids_so_far(client))) < THEN, "a second wave that is answered already tells nothing"
    return waves[1] - set(ids_so_far(client))


def test_bulk_keeps_nobody_waiting(stack: Stack, client: redis.Redis, tmp_path: Path) -> None:
    """Whoever comes while a backlog is computed that takes seconds is answered before all the rest of it."""
    stack.register("priority-bulk", slow_model(tmp_path / "slow.onnx"))
    rest = pile_up(client, "scurry:bulk", "priority-bulk")
    write(client, "scurry:requests", "priority-bulk", ["bulk-first"], REPLIES)
    answered = order(client, FIRST + THEN + 1)
    assert len(answered) == len(set(answered))
    assert rest.isdisjoint(answered[: answered.index("bulk-first")])


def test_the_highest_priority_goes_first(stack: Stack, client: redis.Redis, tmp_path: Path) -> None:
    """Over Redis and HTTP, where the default is the lower level; what is no level counts as the default."""
    (tmp_path / "levels.json").write_text(json.dumps(TWO_LEVELS))
    stack.register(
        "priority-levels", slow_model(tmp_path / "slow.onnx"), "1", "--config", str(tmp_path / "levels.json")
    )
    rest = pile_up(client, "scurry:requests", "priority-levels", priority="9")
    write(client, "scurry:requests", "priority-levels", ["levels-first"], REPLIES, priority="1")
    status, told, _ = post(f"{stack.http_url}/v2/models/priority-levels/infer", {}, priority=1)
    assert (status, told["outputs"][0]["data"]) == (200, ROW["inputs"][0]["data"])
    assert rest.isdisjoint(ids_so_far(client))
    answered = order(client, FIRST + THEN + 1)
    assert rest.isdisjoint(answered[: answered.index("levels-first")])
