"""Answers that were given before, by what was asked.

Kept under a digest of the registration's identity and all that a request brings: no other model, version or
registration ever answers from it, and a version that is switched begins anew. Only models whose config says
`response_cache {enable: true}` have their answers kept: that the same inputs give the same outputs is their owner's
promise. Bounded by bytes; the least recently used go first. Used from the event loop and from threads.
"""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import TYPE_CHECKING, Final

from scurry.inference.shelf import identity_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scurry.inference.items import BatchItem, Piece
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.wire.messages_pb2 import ModelSpec

OVERHEAD_BYTES: Final = 512
"""What an entry takes besides its outputs."""
LARGEST: Final = 16
"""An answer that would take more than this part of the whole is not kept."""


class ResponseCache:
    """Outputs of earlier requests, at most `budget` bytes of them; 0 keeps none."""

    def __init__(self, budget: int = 0) -> None:
        self._budget = budget
        self._kept: OrderedDict[bytes, tuple[str, int, Sequence[Piece]]] = OrderedDict()
        self._lock = Lock()
        self.bytes = self.hits = self.misses = 0

    def answer(self, spec: ModelSpec, items: Iterable[BatchItem]) -> list[tuple[bytes, BatchItem]]:
        """Give outputs to those that were asked before; the others with their digests, for `keep`."""
        missed: list[tuple[bytes, BatchItem]] = []
        identity = identity_of(spec)
        for item in items:
            if item.failure is not None or item.needs is not None or item.layout is None:
                continue
            digest = _digest(identity, item)
            with self._lock:
                found = self._kept.get(digest)
                if found is None:
                    self.misses += 1
                    missed.append((digest, item))
                    continue
                self._kept.move_to_end(digest)
                self.hits += 1
            item.outputs, item.cached = found[2], True
        return missed

    def keep(self, spec: ModelSpec, computed: Iterable[tuple[bytes, BatchItem]]) -> None:
        """Keep what was computed for those that missed."""
        identity = identity_of(spec)
        for digest, item in computed:
            size = OVERHEAD_BYTES + sum(len(data) for _, data in item.outputs)
            if item.failure is not None or not item.outputs or size * LARGEST > self._budget:
                continue
            # Bytes of their own: a view would keep all that was computed with it.
            pieces = [(shape, bytes(data)) for shape, data in item.outputs]
            with self._lock:
                if digest not in self._kept:
                    self._kept[digest] = identity, size, pieces
                    self.bytes += size
                while self.bytes > self._budget:
                    self.bytes -= self._kept.popitem(last=False)[1][1]

    def forget(self, identity: str) -> None:
        """Drop what a registration that was unloaded has answered."""
        with self._lock:
            for digest in [digest for digest, (owner, _, _) in self._kept.items() if owner == identity]:
                self.bytes -= self._kept.pop(digest)[1]

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<ResponseCache {len(self)} answers, {self.bytes} bytes, {self.hits} hits, {self.misses} misses>"


OFF: Final = ResponseCache()
"""Keeps nothing."""


def remembered(cache: ResponseCache, lane_call: LaneCall, work: Work) -> list[tuple[bytes, BatchItem]]:
    """Answer what was asked before and count it, but for copies; the others with their digests, for `keep`."""
    items = work.items or ()
    missed = cache.answer(work.spec, items)
    if not work.expected:
        lane_call.cache_misses += len(missed)
        lane_call.cache_hits += sum([item.cached for item in items])
    return missed


def _digest(identity: str, item: BatchItem) -> bytes:
    """Of the registration, and of the shape and bytes of every input in the model's order."""
    digest = blake2b(f"{identity}{item.layout.parameters}".encode(), digest_size=24)  # type: ignore[union-attr]
    for shape, data in zip(item.layout.shapes, item.data, strict=True):  # type: ignore[union-attr]
        digest.update(f"|{shape}{len(data)}|".encode())
        digest.update(data)
    return digest.digest()
