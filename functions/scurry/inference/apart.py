"""Requests computed in a child process, one after the other.

A child that dies names the request that it was computing: that one is answered for good and kept among the dead
letters, its neighbours notice nothing. The router is told, and sends no more of that version's to compute in a worker
itself for a while.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from scurry.inference import placement
from scurry.inference.batch import inputs_of, take
from scurry.inference.children import Died
from scurry.inference.items import drop_late
from scurry.inference.laps import Laps
from scurry.inference.threads import SLOW_SECONDS
from scurry.wire.addresses import Solo
from scurry.wire.errors import Failed, ScurryError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from scurry.inference.children import Children
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.inference.loaded_model import LoadedModel

log = logging.getLogger(__name__)

HUNG: Final = "The model did not come back within {:g} s; it is given up."
LOST: Final = "The process that ran this request alone was lost: {}."


async def compute_apart(
    children: Children, lane_call: LaneCall, work: Work, loaded: LoadedModel, clock: Callable[[], float]
) -> Laps:
    """Give every request its outputs or its failure. To open the model there, and to wait for that, is computing."""
    laps = Laps()
    for item in work.items or ():
        drop_late([item], int(clock() * 1000))
        if item.failure is not None:
            continue
        seconds = limit = placement.limit(loaded.pace.seconds)
        if item.request.deadline:
            seconds = min(seconds, item.request.deadline / 1000 - clock())
        try:
            arrays, quick = inputs_of(loaded.layouts, item), loaded.pace.seconds < SLOW_SECONDS
            running = children.run(lane_call.key, work.spec, arrays, seconds, quick=quick)
            take(loaded.layouts, item, await laps.around(running))
            lane_call.sizes.append(1)
        except Died as cause:
            lane_call.suspicious = True
            lane_call.bury(work, item, Failed("worker_lost", LOST.format(cause)))
        except TimeoutError:
            lane_call.suspicious |= seconds == limit  # a deadline says nothing of the model
            item.fail(Unavailable("deadline_exceeded", HUNG.format(seconds)))
        except Exception as cause:
            # A solo comes from a worker that was lost: what fails here, not what is wrong in itself, was to blame.
            failed = isinstance(cause, Failed) and cause.code == "model_failed"
            lane_call.suspicious |= failed and isinstance(lane_call.address, Solo)
            item.fail(cause)
    if lane_call.suspicious:
        log.warning("%s: a request of it fails or ends what computes it; the router is told", lane_call.call.key)
    return laps


def try_again(lane_call: LaneCall, work: Work, run: Callable[[BatchItem], object]) -> None:
    """Give requests that ended the process of their model a fresh one, once; who ends that as well is buried.

    A process may end for what others did to it: it had taken all the memory it may, or was ended from outside.
    """
    for item in work.items or ():
        if loss_of(item.failure) is None:
            continue
        item.failure = None
        run(item)
    bury_lost(lane_call, work)


def bury_lost(lane_call: LaneCall, work: Work) -> None:
    """Keep what ended the process of its model, again and again, among the dead letters."""
    for item in work.items or ():
        if loss := loss_of(item.failure):
            log.warning("%s: request %s ended the process of its model twice", lane_call.call.key, item.request.id)
            lane_call.bury(work, item, loss)


def loss_of(failure: Exception | None) -> ScurryError | None:
    """What somebody failed of, if it ended the process that computed it."""
    return failure if isinstance(failure, ScurryError) and failure.code == "worker_lost" else None
