"""What a sequence keeps between its steps, and which may go on with it.

1. A step whose id was answered before is not computed again: whoever sent it twice gets the first answer again.
2. A first step begins anew, whatever was kept.
3. Any other needs what its predecessors left: not idle for too long, and begun by the same registration.

A step that fails leaves the states as they were. Time is that at which steps came into the stream, so that a replay
decides as the first time. Pure.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Final

from scurry.wire.errors import Failed, InvalidRequest, NotFound, ScurryError
from scurry.wire.messages_pb2 import InferenceState, SequenceState
from scurry.wire.sequences import STATE_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.sequences import StateValue
    from scurry.wire.messages_pb2 import Request

REMEMBERED: Final = 8
"""Steps whose ids a sequence remembers."""
SHORT: Final = 31
"""Characters of an id that is kept as it is; a digest has one more."""


class Missed(Exception):
    """Nothing is kept under this address: the sequence was begun with another version, or never."""


class LiveSequence:
    """The state of one address, read once and written once."""

    __slots__ = ("_before", "_changed", "_kept")

    def __init__(self, value: bytes | None) -> None:
        self._before = value
        self._changed = False
        kept = InferenceState.FromString(value) if value else None
        self._kept = kept.sequence if kept is not None and kept.HasField("sequence") else None

    def begin(
        self, request: Request, identity: str, idle_ms: int, first: Sequence[StateValue]
    ) -> Sequence[StateValue]:
        """The states that a step begins with. Raises `Missed`, or `ScurryError` for a step that may not be."""
        kept = self._kept
        if kept is not None and mark(request.id) in kept.answered:
            raise Failed("already_answered", "This step was answered before: its first answer holds.")
        if request.sequence_start:
            return first
        if kept is None:
            raise Missed
        if kept.identity != identity:
            raise _lost(request, "its version was registered anew")
        if arrived_ms(request.entry, kept.last) - kept.last > idle_ms:
            raise _lost(request, f"it was idle for more than {idle_ms} ms")
        return [
            (tuple(each.shape) or at_first[0], each.data) for each, at_first in zip(kept.tensors, first, strict=True)
        ]

    def go_on(
        self, request: Request, identity: str, tensors: Sequence[StateValue], first: Sequence[StateValue]
    ) -> None:
        """A step was computed. Raises `too_large`, and all stays as it was."""
        if sum([len(data) for _, data in tensors]) > STATE_BYTES:
            raise InvalidRequest("too_large", f"The sequence's states would have more than {STATE_BYTES} bytes.")
        kept, self._changed = self._kept, True
        if request.sequence_end:
            self._kept = None
            return
        if kept is None or request.sequence_start:
            self._kept = kept = SequenceState(identity=identity, answered=kept.answered if kept is not None else ())
        del kept.tensors[:]
        for (shape, data), (usual, _) in zip(tensors, first, strict=True):
            kept.tensors.add(shape=() if shape == usual else shape, data=data)
        kept.last = max(kept.last, arrived_ms(request.entry, kept.last))
        self._note(kept, request)

    def fail(self, request: Request, failure: ScurryError) -> None:
        """A step was answered with an error: it will not be computed under this id any more."""
        if self._kept is not None and failure.code != "already_answered":
            self._changed = True
            self._note(self._kept, request)

    @staticmethod
    def _note(kept: SequenceState, request: Request) -> None:
        kept.answered.append(mark(request.id))
        if len(kept.answered) > REMEMBERED:
            del kept.answered[0]

    def save(self) -> tuple[bool, bytes | None]:
        """Whether the state has to be written, and what; None deletes it."""
        if not self._changed or (self._kept is None and self._before is None):
            return False, self._before
        return True, InferenceState(sequence=self._kept).SerializeToString() if self._kept is not None else None

    def __repr__(self) -> str:
        kept = self._kept
        return f"<LiveSequence {'of nothing' if kept is None else f'last at {kept.last}'}>"


def mark(request_id: str) -> str:
    """What tells a request's id from others: itself, if it is short."""
    return request_id if len(request_id) <= SHORT else blake2b(request_id.encode(), digest_size=16).hexdigest()


def arrived_ms(entry: str, otherwise: int) -> int:
    """When an entry came into its stream: Redis says so in the entry's own id, `<stream>/<ms>-<n>`."""
    millis = entry.rpartition("/")[2].partition("-")[0]
    return int(millis) if millis.isascii() and millis.isdigit() else otherwise


def _lost(request: Request, why: str) -> NotFound:
    sentence = f"Sequence {request.sequence_id!r} cannot go on: {why}. Begin it anew with sequence_start."
    return NotFound("sequence_not_found", sentence)
