"""The HTTP door: Open Inference Protocol v2 with binary tensors.

It knows HTTP's words, not its sockets: `answer` takes a method, path, headers and body and gives back an `HttpReply`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final, TypeVar

from scurry.client.answers import Answer
from scurry.gateway import describe
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask, InferCall, check_names
from scurry.gateway.doors.paths import NoSuchPath, Operation, operation_of
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply, refusal
from scurry.gateway.health import Health, is_ready
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.protocols import oip_binary, oip_json
from scurry.wire.errors import Failed, InvalidRequest, ScurryError

log = logging.getLogger(__name__)

Headers = Mapping[str, str]
Done = TypeVar("Done")

AT_ONCE: Final = 256 * 1024
"""JSON up to this size is read and written on the loop: a few milliseconds at most."""

STICKY: Final = "Scurry-Key"
"""Request header with the sticky key for weighted splits."""


class OpenInferenceHttp:
    """Answers requests of the Open Inference Protocol."""

    def __init__(self, ask: Ask, models: Models, health: Health, admin: Admin) -> None:
        self._ask = ask
        self._admin = admin
        self._models = models
        self._health = health
        self._parsers = ThreadPoolExecutor(1, "parse")

    async def answer(self, method: str, target: str, headers: Headers, body: bytes, room: Room) -> HttpReply:
        """The response to one request, within the room that it may take; never raises."""
        try:
            operation = operation_of(method, target)
            if operation.model:
                check_names(operation.model, operation.version)
            if operation.name == "infer":
                return await self._infer(operation, headers, body, room)
            if operation.name == "change":
                return await self._change(operation.model, headers, body)
            return await self._tell(operation, body)
        except ScurryError as cause:
            return refusal(cause)
        except NoSuchPath as cause:
            allow = f"Allow: {cause.allow}\r\n".encode("ascii") if cause.allow else b""
            return json_reply({"error": cause.message, "code": "bad_request"}, cause.status, allow)
        except Exception:
            log.exception("request failed", extra={"target": target[:200]})
            return refusal(Failed("internal", "The gateway failed to answer; its log tells why."))

    async def _infer(self, operation: Operation, headers: Headers, body: bytes, room: Room) -> HttpReply:
        call = await self._decode(body, headers.get(oip_binary.HEADER), room)
        key, trace = _header(headers, STICKY), _header(headers, "traceparent")
        answer = await self._ask.infer(InferCall(operation.model, call.request, operation.version, key, trace))
        return await self._encode(answer, operation.model, call)

    async def _decode(self, body: bytes, header_length: str | None, room: Room) -> oip_binary.BinaryCall:
        """The call in a body. Large JSON is parsed off the loop, one at a time, if there is memory for it."""
        length = oip_binary.json_length(body, header_length)
        if length <= AT_ONCE:
            return oip_binary.decode_call(body, header_length)
        memory = oip_json.parsing_bytes(body, length)
        room.take(memory)
        decoded = await self._aside(partial(oip_binary.decode_call, body, header_length))
        room.give_back(memory)
        return decoded

    async def _encode(self, answer: Answer, asked: str, call: oip_binary.BinaryCall) -> HttpReply:
        """The response that tells an answer. Large JSON is written off the loop."""
        model, reply = answer.model or asked, answer.reply
        if reply.ByteSize() > AT_ONCE and any(tensor.name not in call.binary for tensor in reply.outputs):
            json, tensors = await self._aside(partial(_written, answer, model, call))
        else:
            json, tensors = _written(answer, model, call)
        return binary_reply(json, tensors)

    async def _aside(self, work: Callable[[], Done]) -> Done:
        return await asyncio.get_running_loop().run_in_executor(self._parsers, work)

    async def _change(self, model: str, headers: Headers, body: bytes) -> HttpReply:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        given = token.strip() if scheme.lower() == "bearer" else headers.get("X-Admin-Key", "")
        try:
            change = body.decode()
        except UnicodeDecodeError:
            raise InvalidRequest("bad_request", "The body is not UTF-8.") from None
        return json_reply(await self._admin.change(model, change, given, from_page="Origin" in headers))

    async def _tell(self, operation: Operation, body: bytes) -> HttpReply:
        """Everything but inference."""
        if operation.model:
            return _tell_model(operation, await self._models.record(operation.model))
        match operation.name:
            case "ready":
                report = await self._health.report()
                return _told(is_ready(report), {"ready": is_ready(report), **report})
            case "index":
                ready_only = bool(body) and oip_json.load(body).get("ready") is True
                return json_reply(describe.index(await self._models.records(), ready_only=ready_only))
            case "server":
                return json_reply(describe.server())
        return json_reply({"live": True})


def _written(answer: Answer, model: str, call: oip_binary.BinaryCall) -> tuple[bytes, list[bytes]]:
    return oip_binary.encode_reply(
        answer.reply, model=model, version=answer.version, id=call.id, binary=call.binary
    )


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


def _header(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if value.isascii():
        return value
    raise InvalidRequest("bad_request", f"Header {name} must be ASCII.")
