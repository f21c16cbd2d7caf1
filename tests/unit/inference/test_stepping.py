"""Where steps compute, and what becomes of those that come late or not back."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from tests.unit.inference.test_steps import Track2, summing
from tests.unit.inference.toys import DictPayloads, ToyChildren, call, sent

from scurry.inference import placement
from scurry.inference.computing import Computing
from scurry.inference.lane_call import LaneCall
from scurry.inference.stepping import Hung, Stepping
from scurry.wire.names import Keys


@pytest.fixture
def computing() -> Computing:
    """At 100 seconds after the epoch."""
    return Computing(DictPayloads(), Keys("ns"), lambda: 100.0, ToyChildren())  # type: ignore[arg-type]


@pytest.mark.parametrize("steady", [True, False])
async def test_quick_models_run_in_the_loop_others_in_a_thread(computing: Computing, steady: bool) -> None:
    """A thread would cost a quick model more than it takes itself."""
    loaded, seen = summing(), set()
    loaded.steady = steady
    run = loaded.model.function  # type: ignore[attr-defined]

    def watched(*arrays: Any) -> Any:
        seen.add(threading.current_thread() is threading.main_thread())
        return run(*arrays)

    loaded.model.function = watched  # type: ignore[attr-defined]
    track = Track2(loaded, 1, [1, 2])
    await Stepping(computing).compute([track], loaded, lambda *_: None)
    assert track.outcome == [1, 3]
    assert seen == {steady}
    await computing.close()


async def test_a_model_that_does_not_come_back(computing: Computing, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is given up, and what it computes from then on it computes in a child process."""
    monkeypatch.setattr(placement, "limit", lambda _: 0.05)
    loaded, free = summing(), threading.Event()
    loaded.steady = False
    loaded.model.function = lambda *_: free.wait(10) and None  # type: ignore[attr-defined]
    lane_call = LaneCall(call(key="m@1/seq/1"))
    stepping = Stepping(computing)
    assert not stepping.apart(lane_call, loaded)
    with pytest.raises(Hung):
        await stepping.compute([Track2(loaded, 1, [1])], loaded, lambda *_: None)
    assert stepping.apart(lane_call, loaded)
    free.set()
    await computing.close()


async def test_who_comes_late_has_gone_on_but_gets_no_answer(computing: Computing) -> None:
    """A replay may come later than the first time, and must leave the same state."""
    loaded = summing()
    track = Track2(loaded, 1, [1, 2])
    lane_call = LaneCall(call(sent(*[item.request for item in track.items]), key="m@1/seq/1"))
    (work,) = lane_call.works
    work.requests[1].deadline = 99_000
    (items,) = await Stepping(computing).bring([work], loaded)
    track.items = items
    await Stepping(computing).compute([track], loaded, lambda *_: None)
    assert not Stepping(computing).write(work, loaded, "1")
    assert track.outcome == [1, "deadline_exceeded"]
    assert "gone on with the step" in str(items[1].failure)
    assert items[0].body
    await computing.close()
