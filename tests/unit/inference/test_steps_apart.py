"""Steps in a child process: what ends it is named, and its sequence is as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
from tests.unit.inference.test_steps import Track2, summing
from tests.unit.inference.toys import call, sent

from scurry.inference.children import Died
from scurry.inference.lane_call import LaneCall
from scurry.inference.steps_apart import Apart
from scurry.wire.messages_pb2 import InferenceState


class SummingChildren:
    """Computes as a child process would: 13 ends it, 14 hangs."""

    async def run(self, key: Any, spec: Any, arrays: Any, limit: float, *, quick: bool = False) -> list[Any]:
        match arrays[0][0, 0]:
            case 13:
                raise Died("it ended with status -9")
            case 14:
                raise TimeoutError
        return [arrays[0] + arrays[1]] * 2


async def test_one_step_after_the_other() -> None:
    """The step that ends its process is a dead letter; one that hangs is given up; the others go on."""
    loaded = summing()
    track = Track2(loaded, 1, [1, 13, 2, 14, 3])
    lane_call = LaneCall(call(sent(*[item.request for item in track.items]), key="m@1/seq/1"))
    await Apart(SummingChildren(), loaded).run(lane_call, lane_call.works[0], track)  # type: ignore[arg-type]
    assert track.outcome == [1, "worker_lost", 3, "deadline_exceeded", 6]
    assert lane_call.suspicious
    (letter,) = lane_call.call.response.invocation_result.outgoing_egresses
    assert letter.argument.typename == "scurry.v1/DeadLetter"
    (state,) = InferenceState.FromString(track.live.save()[1] or b"").sequence.tensors
    assert np.frombuffer(state.data, np.float32).tolist() == [6, 6]
