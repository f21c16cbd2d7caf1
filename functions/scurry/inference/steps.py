"""Steps of many sequences in one batch: stacked, run once, split.

Of each sequence one step at a time, in its order. A batch that the model refuses is run again step by step, so that a
bad step fails alone; its sequence stays as it was. Pure but for the model itself.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from scurry.inference.apart import loss_of
from scurry.inference.batch import ask, inputs_of, split, stack, take
from scurry.inference.sequence_state import Missed
from scurry.wire.errors import InvalidRequest, ScurryError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scurry.inference.items import BatchItem
    from scurry.inference.loaded_model import LoadedModel
    from scurry.inference.sequence_state import LiveSequence
    from scurry.runtimes.sequences import Sequences, StateValue
    from scurry.wire.tensors import Array


class Track:
    """The steps of one sequence that wait, in order, and what its state is by now."""

    __slots__ = ("identity", "items", "live", "missed")

    def __init__(self, live: LiveSequence, identity: str, items: Sequence[BatchItem], missed: list[BatchItem]) -> None:
        self.live, self.identity, self.items = live, identity, items
        self.missed = missed  # gets the steps of a sequence that is not kept here

    def __repr__(self) -> str:
        return f"<Track of {len(self.items)} steps, {self.live!r}>"


class Step:
    """One step that is ready to be computed."""

    __slots__ = ("item", "states", "track")

    def __init__(self, track: Track, item: BatchItem, states: Sequence[StateValue]) -> None:
        self.track, self.item, self.states = track, item, states

    def go_on(self, tensors: Sequence[StateValue], first: Sequence[StateValue]) -> None:
        """The model has answered it; its sequence has these states now."""
        try:
            self.track.live.go_on(self.item.request, self.track.identity, tensors, first)
        except ScurryError as failure:
            self.fail(failure)

    def fail(self, cause: Exception) -> None:
        """It gets no answer; its sequence is as it was."""
        self.item.fail(cause)
        if self.item.failure is not None:
            self.track.live.fail(self.item.request, self.item.failure)

    def __repr__(self) -> str:
        return f"<Step {self.item!r} of {self.track!r}>"


def run_tracks(loaded: LoadedModel, sequences: Sequences, tracks: Sequence[Track]) -> Iterator[list[Track]]:
    """Every step of every track: all first ones together, then all second ones.

    Comes up after each model call, with the tracks of which it computed the last step.
    """
    for at in range(max([len(track.items) for track in tracks], default=0)):
        ready: list[Step] = []
        for track in tracks:
            if at < len(track.items):
                step = admit(loaded, sequences, track, track.items[at])
                if step is not None:
                    ready.append(step)
        for batch in _batches(ready, loaded.model.max_batch_size if loaded.model.batched else 1):
            _run(loaded, sequences, batch)
            yield [step.track for step in batch if len(step.track.items) == at + 1]


def admit(loaded: LoadedModel, sequences: Sequences, track: Track, item: BatchItem) -> Step | None:
    """The step, if it may be computed; else it has failed, or is not of this place."""
    request = item.request
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


def _run(loaded: LoadedModel, sequences: Sequences, batch: Sequence[Step], *, again: bool = False) -> None:
    """One model call; step by step when it fails, and once more for a step that ended the process of its model."""
    try:
        arrays = inputs_for(loaded, sequences, batch)
        start = time.perf_counter()
        outputs = ask(loaded, batch[0].item, arrays)
        loaded.pace.note(time.perf_counter() - start, 0.0)
        take_outputs(loaded, sequences, batch, outputs)
    except Exception as cause:
        if len(batch) > 1:
            for step in batch:
                _run(loaded, sequences, [step], again=loss_of(cause) is not None)
        elif loss_of(cause) and not again:  # a process may end for what others did to it
            _run(loaded, sequences, batch, again=True)
        else:
            batch[0].fail(cause)


def inputs_for(loaded: LoadedModel, sequences: Sequences, batch: Sequence[Step]) -> list[Array]:
    """All that the model takes for these steps, a row for each."""
    items = [step.item for step in batch]
    asked = inputs_of(loaded.layouts, items[0]) if len(items) == 1 else stack(loaded.layouts, items, [1] * len(items))
    told = [(item.request.sequence_id, item.request.sequence_start, item.request.sequence_end) for item in items]
    return sequences.arrays(asked, [step.states for step in batch], told)


def take_outputs(
    loaded: LoadedModel, sequences: Sequences, batch: Sequence[Step], outputs: Sequence[Array]
) -> None:
    """Give each step what the model gave for it, and its sequence the new states. Raises `model_failed`."""
    rows = len(batch)
    given, states = sequences.divide(outputs, rows)
    if rows == 1:
        take(loaded.layouts, batch[0].item, given)
    else:
        split(loaded.layouts, [step.item for step in batch], [1] * rows, given)
    for step, tensors in zip(batch, states, strict=True):
        step.go_on(tensors, sequences.first)
