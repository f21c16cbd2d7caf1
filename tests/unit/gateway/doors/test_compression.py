"""Compressed responses."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import pytest

from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.compression import LEAST, coding_wanted, compressed, compressing
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip", "gzip"), ("deflate", "deflate"), (" GZIP ; q=0.5", "gzip"),
        ("gzip, deflate", ""), ("gzip, deflate, br", ""), ("gzip;q=0", ""), ("gzip;q=0.000", ""), ("br", ""),
        ("identity", ""), ("*", ""), ("", ""),
    ],
)  # fmt: skip
def test_one_coding_is_a_wish_and_a_list_of_them_none(accepted: str, coding: str) -> None:
    """A list is what libraries send on their own."""
    assert coding_wanted(accepted) == coding


@pytest.mark.parametrize(("coding", "undo"), [("gzip", gzip.decompress), ("deflate", zlib.decompress)])
def test_the_body_is_compressed_as_a_whole(coding: str, undo: Any) -> None:
    """Where its JSON ends is told of what it was."""
    reply = binary_reply(b'{"outputs":[]}', [bytes(1000)])
    small = compressed(reply, coding)
    (body,) = small.parts
    assert undo(body) == b'{"outputs":[]}' + bytes(1000)
    assert f"\r\nContent-Length: {len(body)}\r\n".encode() in small.head
    assert f"\r\nContent-Encoding: {coding}\r\n".encode() in small.head
    assert b"\r\nInference-Header-Content-Length: 14\r\n" in small.head


@pytest.mark.parametrize(
    ("reply", "shrinks"),
    [
        (json_reply({"error": "x" * LEAST}, 400), False),
        (json_reply("x" * (LEAST - 3)), False),
        (json_reply("x" * LEAST), True),
        (json_reply("x" * (AT_ONCE + 1)), True),
    ],
)
async def test_what_would_not_become_smaller_and_errors_stay(reply: HttpReply, shrinks: bool) -> None:
    """What is large is compressed beside the loop."""
    given: asyncio.Future[HttpReply] = asyncio.get_running_loop().create_future()
    compressing(given.set_result, "gzip", Background())(reply)
    assert given.done() == (sum(map(len, reply.parts)) <= AT_ONCE)
    got = await given
    assert (got is not reply) == shrinks
    assert (b"gzip" in got.head) == shrinks
