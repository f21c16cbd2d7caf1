"""Steps of sequences computed in a child process, one after the other.

They lost a worker before, or others of their version did. A child that dies names the step that it was computing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scurry.inference import placement
from scurry.inference.apart import HUNG
from scurry.inference.children import Died
from scurry.inference.laps import Laps
from scurry.inference.steps import admit, inputs_for, take_outputs
from scurry.inference.threads import SLOW_SECONDS
from scurry.wire.errors import Failed, Unavailable

if TYPE_CHECKING:
    from scurry.inference.children import Children
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.steps import Step, Track
    from scurry.runtimes.sequences import Sequences


class Apart:
    """What computes steps of one registration in child processes."""

    def __init__(self, children: Children, loaded: LoadedModel) -> None:
        self._children, self._loaded = children, loaded

    async def run(self, lane_call: LaneCall, work: Work, track: Track) -> None:
        """Every step of a track has its outputs or its failure afterwards."""
        sequences, laps = self._loaded.model.sequences, Laps()
        assert sequences is not None
        for item in track.items:
            step = admit(self._loaded, sequences, track, item)
            if step is not None:
                await self._run_one(lane_call, work, step, sequences, laps)
        laps.written()
        lane_call.stages.add(laps)

    async def _run_one(
        self, lane_call: LaneCall, work: Work, step: Step, sequences: Sequences, laps: Laps
    ) -> None:
        loaded = self._loaded
        seconds, quick = placement.limit(loaded.pace.seconds), loaded.pace.seconds < SLOW_SECONDS
        try:
            arrays = inputs_for(loaded, sequences, [step])
            running = self._children.run(lane_call.key, work.spec, arrays, seconds, quick=quick)
            take_outputs(loaded, sequences, [step], await laps.around(running))
        except Died as cause:
            lane_call.suspicious = True
            failure = Failed("worker_lost", f"The process that ran this step alone was lost: {cause}.")
            step.fail(failure)
            lane_call.bury(work, step.item, failure)
        except TimeoutError:
            lane_call.suspicious = True
            step.fail(Unavailable("deadline_exceeded", HUNG.format(seconds)))
        except Exception as cause:
            step.fail(cause)

    def __repr__(self) -> str:
        return f"<Apart for {self._loaded!r}>"
