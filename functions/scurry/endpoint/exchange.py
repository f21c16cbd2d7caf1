"""One exchange: the calls it carried and the frames going back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from scurry.endpoint import frames
from scurry.endpoint.call import Call


class Exchange:
    """Collects frames and hands them to `send`, all that are ready in one turn of the loop together.

    `send(data, last)` is called with `last` exactly once: when every call is answered.
    """

    __slots__ = ("_chunks", "_index", "_loop", "_scheduled", "_sealed", "_send", "_spoke", "sent")

    def __init__(self, send: Callable[[bytes, bool], None]) -> None:
        self._send = send
        self._loop = asyncio.get_running_loop()
        self._index: dict[Call, int] = {}
        self._chunks: list[bytes] = []
        self._sealed = False
        self._scheduled = False
        self._spoke = False
        self.sent = 0  # bytes

    def expect(self, call: Call, index: int) -> None:
        """Stay open until `call`, the one numbered `index`, is answered."""
        self._index[call] = index

    def seal(self) -> None:
        """No more calls are to be expected."""
        self._sealed = True
        if self._chunks or not self._index:
            self._flush()

    def done(self, call: Call) -> None:
        """Send a finished call back; a second time has no effect."""
        index = self._index.pop(call, None)
        if index is not None:
            self.put(index, frames.ANSWER, call.response.SerializeToString())

    def fail(self, calls: Sequence[Call], sentence: str) -> int:
        """Tell the caller that those of `calls` which are not finished never will be; returns how many."""
        failed = 0
        for call in calls if self._index else ():
            index = self._index.pop(call, None)
            if index is not None:
                self.put(index, frames.FAILED, sentence.encode())
                failed += 1
        return failed

    def put(self, index: int, kind: int, payload: bytes) -> None:
        """Append one frame."""
        self._chunks.append(frames.frame(index, kind, payload))
        if not self._sealed:
            return
        if not self._index:
            self._flush()
        elif not self._scheduled:
            self._scheduled = True
            self._loop.call_soon(self._flush_scheduled)

    def beat(self) -> None:
        """Break the silence, if nothing else did since the last beat."""
        if not self._spoke and self._sealed and self._index:
            self._chunks.append(frames.BEAT)
            self._flush()
        self._spoke = False

    def _flush_scheduled(self) -> None:
        self._scheduled = False
        if self._chunks:
            self._flush()

    def _flush(self) -> None:
        data = b"".join(self._chunks)
        self._chunks.clear()
        self._spoke = True
        self.sent += len(data)
        self._send(data, not self._index)

    def __repr__(self) -> str:
        return f"<Exchange {len(self._index)} unanswered, {len(self._chunks)} frames waiting>"
