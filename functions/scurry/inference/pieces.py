"""Work of low priority, in pieces between which others have their turn.

A call brings all that piled up in a lane, be it a thousand requests of bulk. In pieces of one model call, or of a few
quick ones, it keeps nobody waiting for longer than that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scurry.inference.batch import batches
from scurry.inference.lane_call import Work
from scurry.inference.placement import TURN_SECONDS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.inference.items import BatchItem
    from scurry.inference.loaded_model import LoadedModel


def pieces(work: Work, loaded: LoadedModel, level: int) -> Sequence[Work]:
    """The parts of some work, which share its items: what comes first of all is one."""
    if not level or loaded.graph is not None:
        return [work]
    sizes, batched = loaded.layouts.sizes, loaded.model.batched
    calls = batches(work.items or (), sizes, batched=batched, alike=work.alike)
    step = max(1, int(TURN_SECONDS / max(loaded.pace.seconds, 1e-9)))
    return [_part(work, calls[at : at + step]) for at in range(0, len(calls), step)]


def _part(work: Work, calls: Sequence[Sequence[BatchItem]]) -> Work:
    items = [item for call in calls for item in call]
    part = Work(work.spec, [item.request for item in items])
    part.items, part.alike, part.expected = items, work.alike, work.expected
    return part
