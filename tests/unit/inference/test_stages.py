"""Where a call's time goes."""

from __future__ import annotations

import pytest
from tests.unit.inference.toys import body, call, request, row, sent

from scurry.inference.function import Inference
from scurry.inference.stages import StageCounts, queued
from scurry.telemetry.prometheus import Bounded, page


def values(counts: StageCounts) -> dict[str, float]:
    """Each line and its number."""
    lines = [line for line in page(counts.figures()).splitlines() if not line.startswith("#")]
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines)}


async def test_a_call_is_counted_by_stage_code_and_size(shelf, payloads):
    """Each request is charged the time of its batch; one that is wrong counts under its code."""
    counts = StageCounts(Bounded(9))
    inference = Inference(shelf, payloads, note=counts.note)
    good = [request(at, body(x=row(1, 2))) for at in range(3)]
    for _ in range(2):
        await inference.serve([call(sent(*good, request(9, b"junk")))], lambda _: None)
    found = values(counts)
    (model,) = {name.split('model="')[1].split('"')[0] for name in found}
    labels = next(name for name in found if "requests_total" in name).split("{")[1].split(",code")[0]
    assert found[f'scurry_worker_requests_total{{{labels},code="ok"}}'] == 6
    assert sum(value for name, value in found.items() if "requests_total" in name) == 8
    for stage in ("input", "compute", "output"):
        assert found[f'scurry_worker_stage_seconds_total{{{labels},stage="{stage}"}}'] > 0
    assert found[f"scurry_worker_batch_size_sum{{{labels}}}"] == 6
    assert model


async def test_models_beyond_so_many_share_their_counts(shelf, payloads):
    """Nothing of theirs is lost."""
    counts = StageCounts(Bounded(1))
    counts._named.label("first")
    inference = Inference(shelf, payloads, note=counts.note)
    await inference.serve([call(sent(request(0, body(x=row(1, 2)))))], lambda _: None)
    assert values(counts)['scurry_worker_requests_total{model="other",version="",code="ok"}'] == 1


@pytest.mark.parametrize(("waited", "here", "seconds"), [([], 0, 0), ([30, 2], 10, 0.04), ([5, 1, 25, 4], 15, 0.04)])
def test_the_queue_is_what_was_waited_before(waited, here, seconds):
    """By message; what came later than it seems has not waited."""
    assert queued(waited, here) == pytest.approx(seconds)
