"""The door to results that are fetched later: /v2/results."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Final
from urllib.parse import parse_qs, unquote

import orjson

from scurry.gateway.doors import deferred, forms
from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.event_stream import EventReply, event, wants_events
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.live_events import LiveEvents
from scurry.gateway.doors.paths import READING, wrong_method
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.following import follow
from scurry.gateway.limits import Room
from scurry.gateway.results import LONGEST_WAIT_S, Found, Results
from scurry.gateway.status import status_of
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError

PREFIX: Final = "/v2/results"
MOST_IDS: Final = 1000


class ResultsHttp:
    """Tells results, waits for them, deletes them. `writers` write the forms of protocols beside ours."""

    def __init__(self, results: Results, writers: Mapping[str, forms.Write] | None = None) -> None:
        self._results = results
        self._writers = {**forms.WRITERS, **(writers or {})}
        self._background = Background()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:  # noqa: ARG002 - every door's
        """Answer one request: `done` is called once, now or later. Never raises."""
        room.give_back_all()  # whoever waits holds nothing
        self._background.answer(self._answer(head), done, head.target)

    async def _answer(self, head: Head) -> HttpReply:
        path, _, query = head.target.partition("?")
        request_id = unquote(path[len(PREFIX) :].strip("/"))
        if head.method == "DELETE" and request_id:
            await self._results.delete(request_id, head.caller.name)
            return json_reply({"id": request_id, "status": "deleted"})
        if head.method not in READING:
            raise wrong_method(path, head.method, (*READING, "DELETE") if request_id else READING)
        asked = parse_qs(query, keep_blank_values=True)
        if request_id:
            return await self._tell(request_id, head.caller.name, wait_of(asked))
        return EventReply(LiveEvents(self._events(_ids_of(asked, head), head.caller.name)))

    async def _tell(self, request_id: str, scope: str, wait_s: float) -> HttpReply:
        found = await self._results.wait(request_id, scope, wait_s)
        if found.fields is None:
            return deferred.accepted(request_id)
        answer = await self._results.read(found.fields)
        write = self._writers[found.asked.form["protocol"]]
        return await write(found.asked.form, answer, found.asked.model)

    async def _events(self, ids: list[str], scope: str) -> AsyncIterator[bytes]:
        async for request_id, found in follow(self._results, ids, scope):
            yield event("result", await document(self._results, request_id, found), request_id)
        yield event("end", b"{}")

    def __repr__(self) -> str:
        return f"<ResultsHttp {self._background!r}>"


async def document(results: Results, request_id: str, found: Found | ScurryError) -> bytes:
    """A result as one line of JSON: `id`, `status` as HTTP would have it, `result`, or `error` and `code`.

    One that is large, or no text, is not in it: it is to be fetched from `location`.
    """
    try:
        if isinstance(found, ScurryError):
            raise found
        assert found.fields is not None, "it is there"
        answer = await results.read(found.fields)
    except ScurryError as cause:
        row = status_of(cause.code)
        return orjson.dumps({"id": request_id, "status": row.http, "error": cause.message, "code": cause.code})
    where = {"id": request_id, "status": 200, "location": f"{PREFIX}/{request_id}"}
    if answer.reply.ByteSize() > AT_ONCE:
        return orjson.dumps(where)
    try:
        reply = await forms.write(forms.as_text(found.asked.form), answer, found.asked.model)
        result = orjson.loads(reply.parts[0])
    except (InvalidRequest, orjson.JSONDecodeError):  # bytes that JSON cannot hold, or v1's NaN
        return orjson.dumps(where)
    return orjson.dumps({"id": request_id, "status": 200, "result": result})


def wait_of(asked: dict[str, list[str]]) -> float:
    """Seconds to wait for a result, not more than a minute. Raises `InvalidRequest`."""
    text = asked.get("wait", ["0"])[-1]
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1.0
    if not (0 <= seconds < float("inf") and text.isascii()):
        raise InvalidRequest("bad_request", f"wait must be a number of seconds, up to {LONGEST_WAIT_S:g}.")
    return min(seconds, LONGEST_WAIT_S)


def _ids_of(asked: dict[str, list[str]], head: Head) -> list[str]:
    """The ids of a stream of events, each once. Raises `ScurryError`."""
    ids = [one for one in dict.fromkeys(",".join(asked.get("ids", ())).split(",")) if one]
    if not ids:
        raise NotFound("result_not_found", f"A result lies at {PREFIX}/<id>; several are followed with ?ids=a,b,c.")
    if len(ids) > MOST_IDS:
        raise InvalidRequest("bad_request", f"ids names {len(ids)} results; {MOST_IDS} are the limit.")
    if not wants_events(head.headers):
        raise InvalidRequest("bad_request", "Several results are told as events: ask with Accept: text/event-stream.")
    return ids
