"""Heads of HTTP requests: each read once, then known by its bytes.

A caller sends nearly the same head again and again. It is read by aiohttp's parser, as is everything that is handed to
aiohttp, so that the two never understand a request differently.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from aiohttp.base_protocol import BaseProtocol
from aiohttp.http import HttpRequestParser, HttpVersion11
from aiohttp.http_exceptions import BadHttpMessage

from scurry.gateway.access import ANYBODY, Caller
from scurry.wire.errors import InvalidRequest

MAX_HEAD: Final = 16 * 1024
MAX_HEADERS: Final = 100
KNOWN: Final = 1024
"""Heads that are remembered; with more of them, all are forgotten and read anew."""
LONGEST: Final = 2048
"""Bytes of a head that is worth remembering."""


WISHES: Final = ("Prefer", "Idempotency-Key", "Scurry-Callback")
"""Headers that few requests have; they are looked for once with each head that is read."""


class Head(NamedTuple):
    """What stands above a body of `size` bytes."""

    method: str
    target: str
    headers: Mapping[str, str]
    size: int
    keep_alive: bool
    wishes: bool = False  # there is more to it than an answer to wait for: see wishes.py
    caller: Caller = ANYBODY  # as the entrance has found out


class Heads:
    """The heads that were seen lately, none of them with a longer line or more headers than these."""

    def __init__(self, max_head_bytes: int = MAX_HEAD, max_headers: int = MAX_HEADERS) -> None:
        self.max_head_bytes, self.max_headers = max_head_bytes, max_headers
        self._known: dict[bytes, Head] = {}
        loop = asyncio.get_running_loop()
        self._loop, self._nobody = loop, BaseProtocol(loop)

    def read(self, data: bytes) -> Head | None:
        """The head in these bytes, up to its empty line; None for what is not usual enough. Raises `too_large`."""
        head = self._known.get(data)
        if head is None:
            self.check_size(len(data))
            head = self._parse(data)
            if head is not None and len(data) <= LONGEST:
                if len(self._known) >= KNOWN:
                    self._known.clear()
                self._known[data] = head
        return head

    def check_size(self, size: int) -> None:
        """Raise `too_large` for a head of more bytes than there may be."""
        if size > self.max_head_bytes:
            most = self.max_head_bytes
            raise InvalidRequest("too_large", f"The request's head is larger than {most} bytes, the limit here.")

    def _parse(self, data: bytes) -> Head | None:
        parser = HttpRequestParser(
            self._nobody, self._loop, 1 << 16, max_line_size=self.max_head_bytes,
            max_headers=self.max_headers, max_field_size=self.max_head_bytes,
        )  # fmt: skip
        try:
            messages, upgraded, rest = parser.feed_data(data)
        except BadHttpMessage:
            return None
        if len(messages) != 1 or upgraded or rest:
            return None
        message = messages[0][0]
        lengths = message.headers.getall("Content-Length", ["0"])
        if message.version != HttpVersion11 or message.chunked or message.compression or message.upgrade:
            return None
        if "Expect" in message.headers or "Content-Encoding" in message.headers or len(lengths) > 1:
            return None
        headers, keep_alive, target = message.headers, not message.should_close, origin_form(message.path)
        return Head(message.method, target, headers, int(lengths[0]), keep_alive, has_wishes(headers))

    def __repr__(self) -> str:
        return f"<Heads {len(self._known)} known>"


def has_wishes(headers: Mapping[str, str]) -> bool:
    """Whether a request may be one for later, or one with a key."""
    return any(name in headers for name in WISHES)


def origin_form(target: str) -> str:
    """A target without the scheme and host that callers through a proxy may write: `http://host/v2` is `/v2`."""
    scheme, found, rest = target.partition("://")
    if not found or scheme.lower() not in ("http", "https"):
        return target
    _, slash, path = rest.partition("/")
    return slash + path or "/"
