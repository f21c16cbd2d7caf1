"""Where steps compute, and what becomes of those that come late or not back."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.unit.inference.test_steps import Track2, summing
from tests.unit.inference.toys import DictPayloads, ToyChildren, body, call, request, row, sent

from scurry.inference import placement
from scurry.inference.computing import Computing
from scurry.inference.lane_call import LaneCall
from scurry.inference.stepping import Hung, Stepping
from scurry.wire.errors import Failed
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import DeadLetter
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
    assert not Stepping(computing).write(lane_call, work, loaded)
    assert track.outcome == [1, "deadline_exceeded"]
    assert "gone on with the step" in str(items[1].failure)
    assert items[0].body
    await computing.close()


async def test_who_comes_late_has_gone_on_also_beside_what_is_parked() -> None:
    """What is fetched is fetched for all of a call."""
    payloads, loaded = DictPayloads(), summing()
    payloads.parked["ns:payload:r100:in:x"] = row(1, 1).tobytes()
    parked = InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=[1, 2], payload="ns:payload:r100:in:x")])
    computing = Computing(payloads, Keys("ns"), lambda: 100.0, ToyChildren())  # type: ignore[arg-type]
    steps = [
        request(100, parked.SerializeToString(), sequence_id="1", sequence_start=True),
        request(101, body(x=row(2, 2)), sequence_id="1", deadline=99_000),
    ]
    (work,) = LaneCall(call(sent(*steps), key="m@1/seq/1")).works
    (items,) = await Stepping(computing).bring([work], loaded)
    track = Track2(loaded, 1, [1, 2])
    track.items = items
    await Stepping(computing).compute([track], loaded, lambda *_: None)
    assert track.outcome == [1, 3]
    await computing.close()


async def test_a_model_with_a_process_gives_up_by_itself(
    computing: Computing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it takes, nobody else computes for it."""
    monkeypatch.setattr(placement, "limit", lambda _: 0.01)
    loaded = summing()
    loaded.steady, loaded.suspect, loaded.model.thread = False, True, ThreadPoolExecutor(1)
    run = loaded.model.function  # type: ignore[attr-defined]

    def slow(*arrays: Any) -> Any:
        time.sleep(0.1)
        return run(*arrays)

    loaded.model.function = slow  # type: ignore[attr-defined]
    stepping = Stepping(computing)
    assert not stepping.apart(LaneCall(call(key="m@1/seq/1")), loaded)
    track = Track2(loaded, 1, [1])
    await stepping.compute([track], loaded, lambda *_: None)
    assert track.outcome == [1]
    loaded.model.thread.shutdown()
    await computing.close()


async def test_a_step_that_ends_the_process_of_its_model_has_another_and_is_kept(computing: Computing) -> None:
    """Once more in a fresh one: what another did to the process is not its fault. Its neighbours are answered."""
    loaded, losses = summing(), ["by the kernel"]
    loaded.model.thread = ThreadPoolExecutor(1)
    run = loaded.model.function  # type: ignore[attr-defined]

    def function(x: Any, s: Any) -> Any:
        if (x == 15).any() or (losses and losses.pop()):
            raise Failed("worker_lost", "The process of the model was lost.")
        return run(x, s)

    loaded.model.function = function  # type: ignore[attr-defined]
    tracks = [Track2(loaded, 1, [1]), Track2(loaded, 2, [1, 15, 2]), Track2(loaded, 3, [3])]
    await Stepping(computing).compute(tracks, loaded, lambda *_: None)
    assert [track.outcome for track in tracks] == [[1], [1, "worker_lost", 3], [3]]
    one = call(sent(*[item.request for item in tracks[1].items]), key="m@1/seq/2")
    lane_call = LaneCall(one)
    (work,) = lane_call.works
    work.items = tracks[1].items
    Stepping(computing).write(lane_call, work, loaded)
    letters = [
        DeadLetter.FromString(each.argument.value).request.id
        for each in one.response.invocation_result.outgoing_egresses
    ]
    assert letters == ["r201"]
    loaded.model.thread.shutdown()
    await computing.close()
