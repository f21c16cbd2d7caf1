"""Compressed responses, for callers that ask for one coding by name.

HTTP libraries offer a list of codings on their own (`gzip, deflate, br`): that is no wish, and tensors of numbers
seldom become much smaller, so that it would cost every caller of such a library time. `Accept-Encoding: gzip` is one,
as Triton's clients send it when they are told to.
"""

from __future__ import annotations

import gzip
import re
import zlib
from functools import lru_cache, partial
from typing import Final

from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.replies import HttpReply

CODINGS: Final = ("gzip", "deflate")
LEAST: Final = 256
"""Bytes below which nothing becomes smaller."""
LEVEL: Final = 1
"""The quickest."""
_LENGTH: Final = re.compile(rb"\r\nContent-Length: \d+\r\n")


@lru_cache(maxsize=256)
def coding_wanted(accepted: str) -> str:
    """The coding that an `Accept-Encoding` asks for; empty for none, and for a list of them."""
    coding, _, weight = accepted.strip().lower().partition(";")
    refused = re.fullmatch(r"\s*q=0(\.0*)?\s*", weight)
    return coding.strip() if coding.strip() in CODINGS and not refused else ""


def compressing(done: Done, coding: str, background: Background) -> Done:
    """A `done` that compresses what it is given; much of it off the loop."""

    def compress(reply: HttpReply) -> None:
        size = sum(map(len, reply.parts))
        if reply.status != 200 or size < LEAST:
            done(reply)
        elif size <= AT_ONCE:
            done(compressed(reply, coding))
        else:
            background.answer(background.write(size, partial(compressed, reply, coding)), done)

    return compress


def compressed(reply: HttpReply, coding: str) -> HttpReply:
    """The same response, its body in a coding."""
    body = b"".join(reply.parts)
    small = gzip.compress(body, LEVEL, mtime=0) if coding == "gzip" else zlib.compress(body, LEVEL)
    told = b"\r\nContent-Encoding: %b\r\nVary: Accept-Encoding\r\nContent-Length: %d\r\n"
    line = told % (coding.encode(), len(small))
    return HttpReply(reply.status, _LENGTH.sub(line, reply.head, count=1), [small])
