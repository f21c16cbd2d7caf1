"""What is sent on an HTTP/2 connection, within its windows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final

from scurry.protocols import http2
from scurry.protocols.http2 import DATA, END_HEADERS, END_STREAM, HEADERS, Http2Error

AT_ONCE: Final = http2.SMALLEST_FRAME
"""An answer up to this size is one frame, and goes out with all that belongs to it in one write."""


class Outgoing:
    """What goes out on one stream: `window` is what the other side still takes."""

    __slots__ = ("begun", "ended", "id", "last", "queue", "window")

    def __init__(self, number: int, window: int) -> None:
        self.id, self.window = number, window
        self.queue: list[memoryview] = []
        self.last: bytes | None = None  # the block behind the messages
        self.begun = self.ended = False

    def __repr__(self) -> str:
        return f"<Outgoing {self.id}, {sum(map(len, self.queue))} bytes wait>"


class Sending:
    """Writes frames: at once what the windows let through, the rest as they open."""

    def __init__(self, transport: asyncio.Transport, ended: Callable[[int], object]) -> None:
        """`ended` is told of each stream on which nothing more goes out."""
        self._transport = transport
        self._ended = ended
        self._window = http2.WINDOW
        self._blocked: dict[int, Outgoing] = {}  # wait for the window of all streams together
        self.initial = http2.WINDOW
        self.write = transport.write

    def whole(self, out: Outgoing, begun: bytes, message: bytes, last: bytes) -> None:
        """A block, one message and the block that ends it."""
        size = len(message)
        if size <= AT_ONCE and size <= out.window and size <= self._window and not out.begun:
            self._window -= size
            out.begun = out.ended = True
            self.write(b"".join((
                http2.head(len(begun), HEADERS, END_HEADERS, out.id), begun, http2.head(size, DATA, 0, out.id), message,
                http2.head(len(last), HEADERS, END_HEADERS | END_STREAM, out.id), last,
            )))  # fmt: skip
            self._ended(out.id)
            return
        self.begin(out, begun)
        self.put(out, (message,))
        self.end(out, last)

    def begin(self, out: Outgoing, block: bytes) -> None:
        """The block before the messages, once."""
        if not out.begun:
            out.begun = True
            self.write(http2.frame(HEADERS, END_HEADERS, out.id, block))

    def put(self, out: Outgoing, parts: Sequence[bytes]) -> None:
        """A message."""
        out.queue += [memoryview(part) for part in parts if part]
        self.pump(out)

    def end(self, out: Outgoing, block: bytes) -> None:
        """The block behind the messages; with nothing before it, it is all there is."""
        out.last = block
        self.pump(out)

    def forget(self, out: Outgoing) -> None:
        """Send no more of it."""
        out.ended = True
        out.queue.clear()
        self._blocked.pop(out.id, None)

    def widen(self, by: int) -> None:
        """The window of all streams together opens. Raises `Http2Error`."""
        self._window = _wider(self._window, by)
        for out in list(self._blocked.values()):
            if self._window <= 0:
                break
            self.pump(out)

    def widen_one(self, out: Outgoing, by: int) -> None:
        """The window of one stream opens, or closes. Raises `Http2Error`."""
        out.window = _wider(out.window, by)
        self.pump(out)

    def pump(self, out: Outgoing) -> None:
        """Write what the windows let through."""
        parts: list[bytes | memoryview] = []
        while out.queue and (room := min(http2.SMALLEST_FRAME, out.window, self._window)) > 0:
            view = out.queue[0]
            piece = view[:room]
            if len(piece) == len(view):
                out.queue.pop(0)
            else:
                out.queue[0] = view[room:]
            out.window -= len(piece)
            self._window -= len(piece)
            parts += (http2.head(len(piece), DATA, 0, out.id), piece)
        is_last = not out.queue and out.last is not None and not out.ended
        if is_last:
            out.ended = True
            parts.append(http2.frame(HEADERS, END_HEADERS | END_STREAM, out.id, out.last or b""))
        if out.queue and out.window > 0:
            self._blocked[out.id] = out
        else:
            self._blocked.pop(out.id, None)
        if parts:
            self._transport.writelines(parts)
        if is_last:
            self._ended(out.id)

    def __repr__(self) -> str:
        return f"<Sending within {self._window} bytes, {len(self._blocked)} streams blocked>"


def _wider(window: int, by: int) -> int:
    if window + by > http2.LARGEST_WINDOW:
        raise Http2Error(http2.FLOW_CONTROL_ERROR, "A window is opened beyond what it can be.")
    return window + by
