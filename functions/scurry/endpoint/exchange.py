"""One HTTP exchange: the calls it carried and the frames going back."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from typing import Final

from aiohttp import web

from scurry.endpoint import frames
from scurry.endpoint.call import Call

BEAT_S: Final = 1.0
_HEADERS: Final = {"Content-Type": frames.CONTENT_TYPE}


class Exchange:
    """Collects answers. Nothing is streamed as long as all is answered before the loop turns."""

    __slots__ = ("_call_index", "_chunks", "_loop", "_news", "_request", "_start", "_writer")

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._call_index: dict[Call, int] = {}
        self._chunks: list[bytes] = []
        self._loop = asyncio.get_running_loop()
        self._news: asyncio.Future[None] | None = None
        self._writer: asyncio.Task[web.StreamResponse] | None = None
        self._start: asyncio.Handle | None = None

    def expect(self, call: Call, index: int) -> None:
        """Keep the exchange open until `call`, the one numbered `index`, is answered."""
        self._call_index[call] = index

    def done(self, call: Call) -> None:
        """Send a finished call back; a second time has no effect."""
        index = self._call_index.pop(call, None)
        if index is not None:
            self.put(index, frames.ANSWER, call.response.SerializeToString())

    def fail(self, calls: Sequence[Call], sentence: str) -> None:
        """Tell the caller that those of `calls` which are not finished never will be."""
        for call in calls if self._call_index else ():
            index = self._call_index.pop(call, None)
            if index is not None:
                self.put(index, frames.FAILED, sentence.encode())

    def put(self, index: int, kind: int, payload: bytes) -> None:
        """Append one frame; frames of one turn of the loop leave together."""
        self._chunks.append(frames.frame(index, kind, payload))
        if self._news is not None and not self._news.done():
            self._news.set_result(None)

    def open(self) -> None:
        """Begin to stream if the loop turns before `close`."""
        self._start = self._loop.call_soon(self._begin)

    def _begin(self) -> None:
        self._writer = self._loop.create_task(self._stream())

    async def close(self) -> web.StreamResponse:
        """The response; call it when everything is answered."""
        if self._start is not None:
            self._start.cancel()
        if self._writer is not None:
            return await self._writer
        return web.Response(body=b"".join(self._chunks), headers=_HEADERS)

    def only(self) -> tuple[int, bytes]:
        """Kind and payload of the single frame of an exchange that carried one call."""
        ((_, kind, payload),) = frames.read(b"".join(self._chunks))
        return kind, payload

    async def _stream(self) -> web.StreamResponse:
        response = web.StreamResponse(headers=_HEADERS)
        response.enable_chunked_encoding()
        with contextlib.suppress(ConnectionError):  # whoever asked has gone; the functions finish for nobody
            await response.prepare(self._request)
            while self._call_index:
                await response.write(await self._next_chunk())
            await response.write_eof(b"".join(self._chunks))
        return response

    async def _next_chunk(self) -> bytes:
        """What is ready, once something is; a heartbeat when nothing is for too long."""
        if not self._chunks:
            self._news = self._loop.create_future()
            timer = self._loop.call_later(BEAT_S, _wake, self._news)
            await self._news
            timer.cancel()
            self._news = None
        chunk = b"".join(self._chunks) or frames.BEAT
        self._chunks.clear()
        return chunk

    def __repr__(self) -> str:
        return f"<Exchange {len(self._call_index)} unanswered, {len(self._chunks)} frames waiting>"


def _wake(news: asyncio.Future[None]) -> None:
    if not news.done():
        news.set_result(None)
