"""Whole HTTP responses: JSON, JSON with raw tensors, refusals."""

from __future__ import annotations

from email.utils import formatdate
from http import HTTPStatus
from time import time
from typing import Final

import orjson

from scurry.gateway.status import status_of
from scurry.wire.errors import ScurryError
from scurry.wire.limits import shortened

WHOLE: Final = 32 * 1024
"""Up to this size a response leaves in one piece; above, copying its parts together would cost more."""

_HEADS: Final = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode("ascii") for status in HTTPStatus}
_JSON: Final = b"Content-Type: application/json\r\nContent-Length: %d\r\n%b"
_TEXT: Final = b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: %d\r\n"
_EVERY: Final = b"X-Content-Type-Options: nosniff\r\n"
"""A browser is not to take what we echo for a page."""
_BINARY: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
    b"Inference-Header-Content-Length: %d\r\nContent-Length: %d\r\n"
)


class HttpReply:
    """A whole HTTP response: `head` up to the blank line, which is not in it, and the parts of the body.

    Beside it, for who counts and logs: the error's code, and the id of the request that it answers.
    """

    __slots__ = ("code", "head", "parts", "request", "status")

    def __init__(self, status: int, head: bytes, parts: list[bytes], code: str = "ok") -> None:
        self.status = status
        self.head = head
        self.parts = parts
        self.code = code
        self.request = ""

    def __repr__(self) -> str:
        return f"<HttpReply {self.status} of {sum(map(len, self.parts))} bytes>"


def json_reply(document: object, status: int = 200, headers: bytes = b"") -> HttpReply:
    """A response with a JSON body. `headers` are whole lines."""
    return _json(orjson.dumps(document), status, headers)


def binary_reply(json: bytes, tensors: list[bytes]) -> HttpReply:
    """A response whose JSON is written already, with raw tensors behind it if there are any."""
    if not tensors:
        return _json(json, 200, b"")
    return HttpReply(200, _BINARY % (len(json), len(json) + sum(map(len, tensors))), [json, *tensors])


def text_reply(text: bytes) -> HttpReply:
    """A response that is UTF-8 text."""
    return HttpReply(200, _HEADS[200] + _TEXT % len(text), [text])


def refusal(cause: ScurryError) -> HttpReply:
    """The response that tells an error, as Triton words it, with our code beside it."""
    row = status_of(cause.code)
    headers = b"Retry-After: %d\r\n" % row.retry_after if row.retry_after else b""
    if row.http == HTTPStatus.UNAUTHORIZED:
        headers = b"WWW-Authenticate: Bearer\r\n"
    reply = json_reply({"error": shortened(cause.message), "code": cause.code}, row.http, headers)
    reply.code = cause.code
    return reply


def head_of(reply: HttpReply, *, keep_alive: bool, old: bool = False) -> bytes:
    """The whole head of a response, with the date; `old` is HTTP/1.0, whose habit is to close."""
    connection = b"\r\n" if not old else b"Connection: keep-alive\r\n\r\n"
    return b"".join((reply.head, _date.line(), connection if keep_alive else b"Connection: close\r\n\r\n"))


def written(reply: HttpReply, *, keep_alive: bool) -> bytes:
    """A whole response in one piece."""
    return b"".join((head_of(reply, keep_alive=keep_alive), *reply.parts))


class _Date:
    """The headers of every response, the date among them, made once a second."""

    def __init__(self) -> None:
        self._second = 0
        self._line = b""

    def line(self) -> bytes:
        now = int(time())
        if now != self._second:
            self._second = now
            self._line = f"Date: {formatdate(now, usegmt=True)}\r\n".encode("ascii") + _EVERY
        return self._line


_date: Final = _Date()


def _json(body: bytes, status: int, headers: bytes) -> HttpReply:
    return HttpReply(status, _HEADS[status] + _JSON % (len(body), headers), [body])
