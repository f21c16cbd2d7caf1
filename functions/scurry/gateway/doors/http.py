"""The HTTP door: Open Inference Protocol v2 with binary tensors.

It knows HTTP's words, not its sockets: `answer` takes a method, path, headers and body and gives back an `HttpReply`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Final

from scurry.gateway import describe
from scurry.gateway.ask import Ask, InferCall, check_names
from scurry.gateway.doors.paths import NoSuchPath, Operation, operation_of
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply, refusal
from scurry.gateway.health import Health, is_ready
from scurry.gateway.models import Models
from scurry.protocols import oip_binary, oip_json
from scurry.wire.errors import Failed, InvalidRequest, ScurryError

log = logging.getLogger(__name__)

Headers = Mapping[str, str]

STICKY: Final = "Scurry-Key"
"""Request header with the sticky key for weighted splits."""


class OpenInferenceHttp:
    """Answers requests of the Open Inference Protocol."""

    def __init__(self, ask: Ask, models: Models, health: Health) -> None:
        self._ask = ask
        self._models = models
        self._health = health

    async def answer(self, method: str, target: str, headers: Headers, body: bytes) -> HttpReply:
        """The response to one request; never raises."""
        try:
            operation = operation_of(method, target)
            if operation.model:
                check_names(operation.model, operation.version)
            if operation.name == "infer":
                return await self._infer(operation, headers, body)
            return await self._tell(operation, body)
        except ScurryError as cause:
            return refusal(cause)
        except NoSuchPath as cause:
            allow = f"Allow: {cause.allow}\r\n".encode("ascii") if cause.allow else b""
            return json_reply({"error": cause.message, "code": "bad_request"}, cause.status, allow)
        except Exception:
            log.exception("request failed", extra={"target": target[:200]})
            return refusal(Failed("internal", "The gateway failed to answer; its log tells why."))

    async def _infer(self, operation: Operation, headers: Headers, body: bytes) -> HttpReply:
        call = oip_binary.decode_call(body, headers.get(oip_binary.HEADER))
        key, trace = _header(headers, STICKY), _header(headers, "traceparent")
        answer = await self._ask.infer(InferCall(operation.model, call.request, operation.version, key, trace))
        model = answer.model or operation.model
        json, tensors = oip_binary.encode_reply(
            answer.reply, model=model, version=answer.version, id=call.id, binary=call.binary
        )
        return binary_reply(json, tensors)

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
