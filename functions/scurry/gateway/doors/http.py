"""The HTTP door: Open Inference Protocol v2 with binary tensors.

It knows HTTP's words, not its sockets: it takes a method, path, headers and body and gives back an `HttpReply`.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from scurry.gateway import describe
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.inference import Inference
from scurry.gateway.doors.paths import NoSuchPath, Operation, operation_of
from scurry.gateway.doors.replies import HttpReply, json_reply, refusal
from scurry.gateway.health import Health, is_ready
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.protocols import oip_json
from scurry.wire.errors import Failed, InvalidRequest, ScurryError

log = logging.getLogger(__name__)


class OpenInferenceHttp:
    """Answers requests of the Open Inference Protocol."""

    def __init__(self, ask: Ask, models: Models, health: Health, admin: Admin) -> None:
        self._admin = admin
        self._models = models
        self._health = health
        self._inference = Inference(ask)
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            operation = operation_of(head.method, head.target)
            if operation.name == "infer":
                self._inference.begin(operation, head.headers, body, room, done)
            else:
                task = asyncio.get_running_loop().create_task(self._answer(operation, head, body, done))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        except Exception as cause:
            done(_refused(cause, head.target))

    async def _answer(self, operation: Operation, head: Head, body: bytes, done: Done) -> None:
        """Everything but inference."""
        try:
            if operation.name == "change":
                reply = await self._change(operation.model, head, body)
            else:
                reply = await self._tell(operation, body)
        except Exception as cause:
            reply = _refused(cause, operation.name)
        done(reply)

    async def _change(self, model: str, head: Head, body: bytes) -> HttpReply:
        headers = head.headers
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else headers.get("X-Admin-Key", "")
        try:
            change = body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest("bad_request", "The body is not UTF-8.") from None
        from_page = "Origin" in headers
        return json_reply(await self._admin.change(model, change, given, from_page=from_page, caller=head.caller))

    async def _tell(self, operation: Operation, body: bytes) -> HttpReply:
        if operation.model:
            return _tell_model(operation, await self._models.record(operation.model))
        match operation.name:
            case "ready":
                report = await self._health.report()
                return _told(is_ready(report), {"ready": is_ready(report), **report})
            case "index":
                return json_reply(await self._index(oip_json.load(body) if body else {}))
            case "server":
                return json_reply(describe.server())
        return json_reply({"live": True})

    async def _index(self, asked: dict[str, Any]) -> list[dict[str, str]]:
        """All models, or a page of them."""
        limit, after = asked.get("limit", 0), asked.get("after", "")
        if type(limit) is not int or limit < 0:
            raise InvalidRequest("bad_request", "limit must be a whole number from 0; 0 is all of them.")
        if not isinstance(after, str):
            raise InvalidRequest("bad_request", "after must be the name of the last model of the page before.")
        records = await (self._models.page(limit, after) if limit or after else self._models.records())
        return describe.index(records, ready_only=asked.get("ready") is True)


def _refused(cause: Exception, what: str) -> HttpReply:
    if isinstance(cause, ScurryError):
        return refusal(cause)
    if isinstance(cause, NoSuchPath):
        allow = f"Allow: {cause.allow}\r\n".encode("ascii") if cause.allow else b""
        return json_reply({"error": cause.message, "code": "bad_request"}, cause.status, allow)
    log.error("request failed", exc_info=cause, extra={"target": what[:200]})
    return refusal(Failed("internal", "The gateway failed to answer; its log tells why."))


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
