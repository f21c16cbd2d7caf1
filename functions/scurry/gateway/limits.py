"""How much memory calls in flight may take; told before a body is read.

A body counts `COPIES` times: as it came, in its message, and on its way to Redis. Parsing JSON counts for what it may
take at most, while it lasts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, NamedTuple, Self

from scurry.wire.errors import InvalidRequest, error
from scurry.wire.infer_pb2 import InferRequest

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


class TensorLimits(NamedTuple):
    """What one request may hold; 0 is no limit."""

    max_tensor_bytes: int = 0
    max_rows: int = 0

    def check(self, request: InferRequest, sizes: Iterable[int] | None = None) -> None:
        """Raise `too_large` for a tensor of too many bytes or rows; its name is told.

        `sizes` are the bytes of the inputs where their tensors do not hold them.
        """
        if not self.max_tensor_bytes and not self.max_rows:
            return
        sizes = [len(tensor.data) for tensor in request.inputs] if sizes is None else sizes
        for tensor, size in zip(request.inputs, sizes, strict=True):
            if 0 < self.max_tensor_bytes < size:
                told = f"Input {tensor.name!r} has {size} bytes, {self.max_tensor_bytes} are the limit here"
                raise InvalidRequest("too_large", f"{told}: send fewer rows at a time.")
            if self.max_rows and tensor.shape and tensor.shape[0] > self.max_rows:
                told = f"Input {tensor.name!r} has {tensor.shape[0]} rows, {self.max_rows} are the limit here"
                raise InvalidRequest("too_large", f"{told}: send several requests.")


NO_LIMITS: Final = TensorLimits()


class TenantsInFlight:
    """How many requests each tenant waits for; `limit` 0 is none."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._counts: Counter[str] = Counter()

    def check(self, tenant: str) -> None:
        """Raise `rate_limited` for a tenant that has as many as it may."""
        if self._counts[tenant] >= self.limit:
            told = f"{self.limit} requests of tenant {tenant[:128]!r} are in flight, the limit for each"
            raise error("rate_limited", f"{told}: wait for an answer.")

    def entered(self, tenant: str) -> Callable[[object], None]:
        """One more; what is returned is called when it is answered."""
        self._counts[tenant] += 1

        def leave(_: object) -> None:
            self._counts[tenant] -= 1
            if not self._counts[tenant]:
                del self._counts[tenant]

        return leave

    def __repr__(self) -> str:
        return f"<TenantsInFlight {len(self._counts)} tenants, {self.limit} each>"
