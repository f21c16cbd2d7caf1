"""How much memory calls in flight may take; told before a body is read.

A body counts `COPIES` times: as it came, in its message, and on its way to Redis. Parsing JSON counts for what it may
take at most, while it lasts.
"""

from __future__ import annotations

from types import TracebackType
from typing import Final, Self

from scurry.wire.errors import InvalidRequest, error

COPIES: Final = 3
MIB: Final = 1024 * 1024


class Admission:
    """The memory there is for all calls together."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._taken = 0

    @property
    def taken(self) -> int:
        """Memory that calls in flight take."""
        return self._taken

    def room(self) -> Room:
        """Room for one call, empty so far; used with `with`."""
        return Room(self)

    def take(self, size: int) -> None:
        """Take memory. Raises `too_large` for more than there ever is, `overloaded` for more than is left."""
        if size > self._max_bytes:
            sentence = f"This needs {size // MIB + 1} MiB of memory, {self._max_bytes // MIB} MiB are the limit here"
            raise InvalidRequest("too_large", f"{sentence}; binary tensors need less than JSON.")
        if self._taken + size > self._max_bytes:
            sentence = f"{self._taken // MIB} MiB of bodies are in flight, {self._max_bytes // MIB} MiB are the limit"
            raise error("overloaded", f"{sentence}: try again in a moment.")
        self._taken += size

    def give_back(self, size: int) -> None:
        """What was taken is free again."""
        self._taken -= size

    def __repr__(self) -> str:
        return f"<Admission {self._taken} of {self._max_bytes} bytes taken>"


class Room:
    """What one call has taken."""

    __slots__ = ("_admission", "_taken")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._taken = 0

    def hold_body(self, size: int) -> None:
        """Have room for a body of this size, all in all. Raises `too_large` or `overloaded`."""
        missing = size * COPIES - self._taken
        if missing > 0:
            self.take(missing)

    def take(self, size: int) -> None:
        """Take more. Raises `too_large` or `overloaded`."""
        self._admission.take(size)
        self._taken += size

    def give_back(self, size: int) -> None:
        """Give a part of it back."""
        self._admission.give_back(size)
        self._taken -= size

    def give_back_all(self) -> None:
        """Give everything back."""
        self.give_back(self._taken)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back_all()

    def __repr__(self) -> str:
        return f"<Room of {self._taken} bytes>"
