"""Steps of many sequences in one batch: stacked with their states, run once, split.

Of each sequence one step at a time, in its order. A batch that the model refuses is run again step by step, so that a
bad step fails alone; its sequence stays as it was. Pure but for the model itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from scurry.inference.batch import inputs_of, split, stack, take
from scurry.inference.items import drop_late
from scurry.inference.sequence_state import Missed
from scurry.wire.errors import Failed, InvalidRequest, ScurryError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scurry.inference.items import BatchItem
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.sequence_state import LiveSequence
    from scurry.runtimes.sequences import Sequences, StateValue


class Track:
    """The steps of one sequence that wait, in order, and what its state is by now."""

    __slots__ = ("identity", "items", "live", "missed")

    def __init__(self, live: LiveSequence, identity: str, items: Sequence[BatchItem]) -> None:
        self.live, self.identity, self.items = live, identity, items
        self.missed: list[BatchItem] = []  # steps of a sequence that is not kept here

    def __repr__(self) -> str:
        return f"<Track of {len(self.items)} steps, {self.live!r}>"


class Step:
    """One step that is ready to be computed."""

    __slots__ = ("item", "states", "track")

    def __init__(self, track: Track, item: BatchItem, states: Sequence[StateValue]) -> None:
        self.track, self.item, self.states = track, item, states


def run_tracks(
    loaded: LoadedModel, sequences: Sequences, tracks: Sequence[Track], now_ms: Callable[[], int]
) -> Iterator[None]:
    """Every step of every track: all first ones together, then all second ones. Comes up after each model call."""
    for at in range(max([len(track.items) for track in tracks], default=0)):
        now = now_ms()
        ready: list[Step] = []
        for track in tracks:
            if at < len(track.items):
                step = _admit(loaded, sequences, track, track.items[at], now)
                if step is not None:
                    ready.append(step)
        for batch in _batches(ready, loaded.model.max_batch_size if loaded.model.batched else 1):
            _run(loaded, sequences, batch)
            yield


def _admit(
    loaded: LoadedModel, sequences: Sequences, track: Track, item: BatchItem, now: int
) -> Step | None:
    """The step, if it may be computed; else it has failed, or is not of this place."""
    request = item.request
    drop_late((item,), now)
    try:
        if item.failure is not None:
            raise item.failure
        if loaded.model.batched and item.layout is not None and item.layout.rows != 1:
            sentence = f"A step of a sequence is one row; {item.layout.rows} came in the first dimension."
            raise InvalidRequest("input_shape", sentence)
        sequences.check_id(request.sequence_id)
        return Step(track, item, track.live.begin(request, track.identity, sequences.idle_ms, sequences.first))
    except Missed:
        track.missed.append(item)
    except ScurryError as failure:
        item.fail(failure)
        track.live.fail(request, failure)
    return None


def _batches(steps: Sequence[Step], limit: int) -> Iterator[Sequence[Step]]:
    """Steps of one layout whose states are of one shape, at most `limit` of them."""
    groups: dict[Any, list[Step]] = {}
    for step in steps:
        layout = step.item.layout
        key = layout.group if layout is not None else None, *[shape for shape, _ in step.states]
        groups.setdefault(key, []).append(step)
    for group in groups.values():
        for at in range(0, len(group), limit):
            yield group[at : at + limit]


def _run(loaded: LoadedModel, sequences: Sequences, batch: Sequence[Step]) -> None:
    """One model call; step by step when it fails."""
    items, rows = [step.item for step in batch], len(batch)
    try:
        layouts, counts = loaded.layouts, [1] * rows
        asked = inputs_of(layouts, items[0]) if rows == 1 else stack(layouts, items, counts)
        steps = [
            (item.request.sequence_id, item.request.sequence_start, item.request.sequence_end) for item in items
        ]
        arrays = sequences.arrays(asked, [step.states for step in batch], steps)
        start = time.perf_counter()
        outputs = loaded.run(arrays)
        loaded.pace.note(time.perf_counter() - start, 0.0)
        given, states = sequences.divide(outputs, rows)
        if rows == 1:
            take(layouts, items[0], given)
        else:
            split(layouts, items, counts, given)
    except Exception as cause:
        if rows > 1:
            for step in batch:
                _run(loaded, sequences, [step])
            return
        items[0].fail(cause)
        batch[0].track.live.fail(items[0].request, items[0].failure or Failed("internal", ""))
        return
    for step, tensors in zip(batch, states, strict=True):
        _go_on(step, tensors)


def _go_on(step: Step, tensors: Sequence[StateValue]) -> None:
    request, live = step.item.request, step.track.live
    try:
        live.go_on(request, step.track.identity, tensors)
    except ScurryError as failure:
        step.item.fail(failure)
        live.fail(request, failure)
