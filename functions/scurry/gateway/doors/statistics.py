"""The door to a model's live statistics: /v2/statistics/<model>."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import unquote

import orjson

from scurry.gateway.ask import check_names
from scurry.gateway.doors.background import Background
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.event_stream import EventReply, event, wants_events
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.live_events import LiveEvents
from scurry.gateway.doors.paths import READING, wrong_method
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.limits import Room
from scurry.gateway.live import LiveStatistics
from scurry.wire.errors import NotFound, ScurryError

PREFIX: Final = "/v2/statistics"


class StatisticsHttp:
    """Tells a model's counters, once or every second."""

    def __init__(self, live: LiveStatistics) -> None:
        self._live = live
        self._background = Background()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:  # noqa: ARG002 - every door's
        """Answer one request: `done` is called once, now or later. Never raises."""
        self._background.answer(self._answer(head), done, head.target)

    async def _answer(self, head: Head) -> HttpReply:
        path = head.target.partition("?")[0]
        if head.method not in READING:
            raise wrong_method(path, head.method, READING)
        model = unquote(path[len(PREFIX) :].strip("/"))
        check_names(model)
        first = await self._live.now(model)
        if wants_events(head.headers):
            return EventReply(LiveEvents(self._events(model, first)))
        return json_reply(orjson.Fragment(first))

    async def _events(self, model: str, first: bytes) -> AsyncIterator[bytes]:
        """Until the model is gone; what is told meanwhile is no older than a second."""
        yield event("statistics", first)
        while True:
            try:
                yield event("statistics", await self._live.next(model))
            except ScurryError as cause:
                yield event("error", orjson.dumps({"error": cause.message, "code": cause.code}))
                if isinstance(cause, NotFound):
                    return

    def __repr__(self) -> str:
        return f"<StatisticsHttp {self._live!r}>"
