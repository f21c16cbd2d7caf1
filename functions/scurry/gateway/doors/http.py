"""The HTTP door: Open Inference Protocol v2 with Triton's extensions.

It knows HTTP's words, not its sockets: it takes a method, path, headers and body and gives back an `HttpReply`.
"""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from scurry.gateway import describe
from scurry.gateway.admin import Admin, shown_by
from scurry.gateway.ask import Ask
from scurry.gateway.doors.background import Background
from scurry.gateway.doors.deferred import Deferred
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.extensions import OPERATIONS, Extensions
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.inference import Inference
from scurry.gateway.doors.paths import Operation, operation_of
from scurry.gateway.doors.refusals import refused
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.doors.wishes import NO_RESULTS, refuse_wishes, wishes_more
from scurry.gateway.health import Health, is_ready
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.gateway.repository import Repository
from scurry.gateway.server_state import ServerState
from scurry.protocols import oip_json
from scurry.wire.errors import InvalidRequest


class OpenInferenceHttp:
    """Answers requests of the Open Inference Protocol."""

    def __init__(
        self,
        ask: Ask,
        models: Models,
        health: Health,
        admin: Admin,
        *,
        state: ServerState | None = None,
        deferred: Deferred | None = None,
    ) -> None:
        self._admin = admin
        self._models = models
        self._health = health
        self._state = state or ServerState.private()
        self._extensions = Extensions(models, Repository(admin, models), self._state)
        self._inference = Inference(ask, models, self._state.memory)
        self._deferred = deferred
        self._background = Background()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            operation = operation_of(head.method, head.target)
            if operation.name != "infer":
                self._background.answer(self._answer(operation, head, body), done, head.target)
            elif not wishes_more(head):
                self._inference.begin(operation, head.headers, body, room, done)
            elif self._deferred is not None:
                read = partial(self._inference.read, operation, head.headers, body, room)
                self._deferred.begin(operation, head, read, done)
            else:
                refuse_wishes(head.headers, NO_RESULTS)
        except Exception as cause:
            done(refused(cause, head.target))

    async def _answer(self, operation: Operation, head: Head, body: bytes) -> HttpReply:
        """Everything but inference."""
        if operation.name == "change":
            return await self._change(operation.model, head, body)
        if operation.name in {"record", "records"}:
            return await self._show(operation.model, head)
        if operation.name in OPERATIONS:
            sent = body if head.method == "POST" else b""
            return json_reply(await self._extensions.answer(operation, head, sent))
        return await self._tell(operation, body)

    async def _change(self, model: str, head: Head, body: bytes) -> HttpReply:
        try:
            change = body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest("bad_request", "The body is not UTF-8.") from None
        return json_reply(await self._admin.change(model, change, shown_by(head.headers, head.caller)))

    async def _show(self, model: str, head: Head) -> HttpReply:
        """Whole records, which tell files and options: for those who may change them."""
        self._admin.check(shown_by(head.headers, head.caller))
        if model:
            return json_reply(await self._models.record(model))
        asked = dict(parse_qsl(head.target.partition("?")[2]))
        limit = asked.get("limit", "0")
        return json_reply(await self._page(int(limit) if limit.isdecimal() else limit, asked.get("after", "")))

    async def _tell(self, operation: Operation, body: bytes) -> HttpReply:
        if operation.model:
            now = operation.name == "model_ready"  # asked right after a load, perhaps of another gateway
            return _tell_model(operation, await self._models.record(operation.model, fresh=now))
        match operation.name:
            case "ready":
                report = await self._health.report()
                return _told(is_ready(report), {"ready": is_ready(report), **report})
            case "index":
                return json_reply(await self._index(oip_json.load(body) if body else {}))
            case "server":
                return json_reply(describe.server(self._state.server))
        return json_reply({"live": True})

    async def _index(self, asked: dict[str, Any]) -> list[dict[str, str]]:
        """All models, or a page of them."""
        ready = asked.get("ready", False)
        if not isinstance(ready, bool):
            raise InvalidRequest("bad_request", "ready must be true or false.")
        records = await self._page(asked.get("limit", 0), asked.get("after", ""))
        return describe.index(records, ready_only=ready)

    async def _page(self, limit: object, after: object) -> dict[str, dict[str, Any]]:
        if isinstance(limit, float) and limit.is_integer():  # to JSON 2.0 is a whole number
            limit = int(limit)
        if not isinstance(limit, int) or isinstance(limit, bool) or limit < 0:
            raise InvalidRequest("bad_request", "limit must be a whole number from 0; 0 is all of them.")
        if not isinstance(after, str):
            raise InvalidRequest("bad_request", "after must be the name of the last model of the page before.")
        return await (self._models.page(limit, after) if limit or after else self._models.records())


def _tell_model(operation: Operation, record: describe.Record) -> HttpReply:
    match operation.name:
        case "model_ready":
            ready = describe.is_ready(record, operation.model, operation.version)
            return _told(ready, {"name": operation.model, "ready": ready})
        case "configuration":
            return json_reply(describe.configuration(record, operation.model, operation.version))
    return json_reply(describe.metadata(record, operation.model, operation.version))


def _told(ready: bool, document: object) -> HttpReply:
    return json_reply(document, 200 if ready else 503)
