"""The HTTP door: Open Inference Protocol v2 with binary tensors.

It knows HTTP's words, not its sockets: `Door.answer` takes a method, path, headers and body and gives back a `Reply`.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

import orjson

from scurry.gateway import describe
from scurry.gateway.catalogue import Catalogue
from scurry.gateway.health import Health, is_ready
from scurry.gateway.paths import Act, NoSuchPath, act_of
from scurry.gateway.status import status_of
from scurry.gateway.translate import Question, Translator, check_names
from scurry.protocols import oip_binary, oip_json
from scurry.wire.errors import Failed, InvalidRequest, ScurryError

log = logging.getLogger(__name__)

Headers = Mapping[str, str]

STICKY: Final = "Scurry-Key"
"""Request header with the sticky key for weighted splits."""

_HEADS: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus}
_JSON: Final = b"Content-Type: application/json\r\nContent-Length: %d\r\n%b"
_BINARY: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    b"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n"
)


class Reply:
    """A whole HTTP response: `head` up to the blank line, which is not in it, and the parts of the body."""

    __slots__ = ("head", "parts", "status")

    def __init__(self, status: int, head: bytes, parts: list[bytes]) -> None:
        self.status = status
        self.head = head
        self.parts = parts

    def __repr__(self) -> str:
        return f"<Reply {self.status} of {sum(map(len, self.parts))} bytes>"


def json_reply(document: object, status: int = 200, headers: bytes = b"") -> Reply:
    """A response with a JSON body. `headers` are whole lines."""
    return _json(orjson.dumps(document), status, headers)


def refusal(cause: ScurryError) -> Reply:
    """The response that tells an error, as Triton words it, with our code beside it."""
    row = status_of(cause.code)
    headers = b"Retry-After: %d\r\n" % row.retry_after if row.retry_after else b""
    return json_reply({"error": cause.message, "code": cause.code}, row.http, headers)


class Door:
    """Answers requests of the Open Inference Protocol."""

    def __init__(self, translator: Translator, catalogue: Catalogue, health: Health) -> None:
        self._translator = translator
        self._catalogue = catalogue
        self._health = health

    async def answer(self, method: str, target: str, headers: Headers, body: bytes) -> Reply:
        """The response to one request; never raises."""
        try:
            act = act_of(method, target)
            if act.model:
                check_names(act.model, act.version)
            if act.name == "infer":
                return await self._infer(act, headers, body)
            return await self._tell(act, body)
        except ScurryError as cause:
            return refusal(cause)
        except NoSuchPath as cause:
            allow = f"Allow: {cause.allow}\r\n".encode("ascii") if cause.allow else b""
            return json_reply({"error": cause.message, "code": "bad_request"}, cause.status, allow)
        except Exception:
            log.exception("request failed", extra={"target": target[:200]})
            return refusal(Failed("internal", "The gateway failed to answer; its log tells why."))

    async def _infer(self, act: Act, headers: Headers, body: bytes) -> Reply:
        call = oip_binary.decode_call(body, headers.get(oip_binary.HEADER))
        answer = await self._translator.infer(
            Question(act.model, call.request, act.version, _header(headers, STICKY), _header(headers, "traceparent"))
        )
        json, tensors = oip_binary.encode_reply(
            answer.reply, model=answer.model or act.model, version=answer.version, id=call.id, binary=call.binary
        )
        if not tensors:
            return _json(json)
        return Reply(200, _BINARY % (len(json), len(json) + sum(map(len, tensors))), [json, *tensors])

    async def _tell(self, act: Act, body: bytes) -> Reply:
        """Everything but inference."""
        if act.model:
            return _tell_model(act, await self._catalogue.record(act.model))
        match act.name:
            case "ready":
                report = await self._health.report()
                return _told(is_ready(report), {"ready": is_ready(report), **report})
            case "index":
                ready_only = bool(body) and oip_json.load(body).get("ready") is True
                return json_reply(describe.index(await self._catalogue.records(), ready_only=ready_only))
            case "server":
                return json_reply(describe.server())
        return json_reply({"live": True})


def _tell_model(act: Act, record: describe.Record) -> Reply:
    match act.name:
        case "model_ready":
            ready = describe.is_ready(record, act.model, act.version)
            return _told(ready, {"name": act.model, "ready": ready})
        case "configuration":
            return json_reply(describe.configuration(record, act.model, act.version))
    return json_reply(describe.metadata(record, act.model, act.version))


def _told(ready: bool, document: object) -> Reply:
    return json_reply(document, 200 if ready else 503)


def _json(body: bytes, status: int = 200, headers: bytes = b"") -> Reply:
    return Reply(status, _HEADS[status] + _JSON % (len(body), headers), [body])


def _header(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if value.isascii():
        return value
    raise InvalidRequest("bad_request", f"Header {name} must be ASCII.")
