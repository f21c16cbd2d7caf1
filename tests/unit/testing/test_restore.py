"""What comes again after a restore, in whatever order: no request is told that its model does not exist."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.testing.test_harness import FakeInference

from scurry.testing import Harness
from scurry.wire.messages_pb2 import Requests, Update
from scurry.wire.names import REGISTRY, ROUTER

PAUSE_MS = 20
"""As many pauses as there may be are less than the moment that a request waits for news."""
STEPS = st.lists(st.sampled_from(["request", "version", "alias", "run", "wait"]), max_size=12)


def changes() -> list[Update]:
    """A model, a second version, a name for the first."""
    texts = [
        '{"register": {"uri": "a.onnx", "version": "1"}}',
        '{"register": {"uri": "b.onnx", "version": "2"}}',
        '{"alias": {"alias": "stable", "version": "1"}}',
    ]
    return [Update(model="m", id=f"update-{number}", json=text) for number, text in enumerate(texts)]


async def replay(harness: Harness, steps: Sequence[str]) -> list[str]:
    """Requests arrive, mail moves or time passes; returns the ids of the requests."""
    ids = []
    for step in steps:
        if step == "run":
            await harness.run()
        elif step == "wait":
            await harness.advance(PAUSE_MS)
        else:
            version = {"request": "", "version": "2", "alias": "stable"}[step]
            request = harness.request("m", version=version)
            ids.append(request.id)
            harness.send(ROUTER, "m", Requests(requests=[request]))
    return ids


@settings(max_examples=80, deadline=None)
@given(st.lists(STEPS, min_size=4, max_size=4), st.integers(0, 3), st.integers(0, 3))
async def test_requests_and_registrations_in_any_order(steps: list[list[str]], slow: int, kept: int) -> None:
    """The state is that of before some of the registrations; they and the requests behind them come once more."""
    worker = FakeInference()
    worker.slow = {"a.onnx": slow, "b.onnx": slow}
    harness = Harness(worker)
    updates = changes()
    for update in updates[:kept]:
        harness.send(REGISTRY, "m", update)
        await harness.advance(0 if kept < 3 else 10_000)
    ids = []
    for part, update in zip(steps, [*updates[kept:], None, None, None, None], strict=False):
        ids += await replay(harness, part)
        if update is not None:
            harness.send(REGISTRY, "m", update)
    await harness.advance(60_000)
    assert {harness.out.replies[i].error for i in ids} <= {""}
    assert not harness.out.repeated


async def test_what_never_comes_is_not_found_after_a_moment() -> None:
    """Waiting is for what may come; nothing is left behind."""
    harness = Harness(FakeInference())
    request = harness.request("m")
    assert await harness.ask(request) == [None]
    await harness.advance(1_000)
    assert harness.out.replies[request.id].error == "model_not_found"
    assert (harness.states, harness.waiting) == ({}, 0)


@pytest.mark.parametrize("late_ms", [10, 500, 900])
async def test_a_registration_that_comes_after_its_requests(late_ms: int) -> None:
    """As long as it comes within the moment that is waited for it."""
    harness = Harness(FakeInference())
    requests = [harness.request("m") for _ in range(50)]
    await harness.ask(*requests)
    await harness.advance(late_ms)
    await harness.register("m", "a.onnx")
    await harness.advance(1_000)
    assert {harness.out.replies[request.id].error for request in requests} == {""}
