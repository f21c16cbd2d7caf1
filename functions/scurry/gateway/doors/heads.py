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
    scope: str = ""  # whose keys and results these are; set by who knows the caller


class Heads:
    """The heads that were seen lately."""

    def __init__(self) -> None:
        self._known: dict[bytes, Head] = {}
        loop = asyncio.get_running_loop()
        self._loop, self._nobody = loop, BaseProtocol(loop)

    def read(self, data: bytes) -> Head | None:
        """The head in these bytes, up to its empty line; None for what is not usual enough."""
        head = self._known.get(data)
        if head is None:
            head = self._parse(data)
            if head is not None and len(data) <= LONGEST:
                if len(self._known) >= KNOWN:
                    self._known.clear()
                self._known[data] = head
        return head

    def _parse(self, data: bytes) -> Head | None:
        try:
            messages, upgraded, rest = HttpRequestParser(self._nobody, self._loop, 1 << 16).feed_data(data)
        except BadHttpMessage:
            return None
        if len(messages) != 1 or upgraded or rest:
            return None
        message = messages[0][0]
        lengths = message.headers.getall("Content-Length", ["0"])
        if message.version != HttpVersion11 or message.chunked or message.compression or message.upgrade:
            return None
        if "Expect" in message.headers or len(lengths) > 1:
            return None
        headers, keep_alive = message.headers, not message.should_close
        return Head(message.method, message.path, headers, int(lengths[0]), keep_alive, has_wishes(headers))

    def __repr__(self) -> str:
        return f"<Heads {len(self._known)} known>"


def has_wishes(headers: Mapping[str, str]) -> bool:
    """Whether a request may be one for later, or one with a key."""
    return any(name in headers for name in WISHES)
