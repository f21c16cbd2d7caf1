"""Whole HTTP responses."""

from __future__ import annotations

import orjson
import pytest

from scurry.gateway.doors.replies import binary_reply, json_reply, refusal
from scurry.wire.errors import error


def test_a_json_reply_says_its_length() -> None:
    """And carries the headers it was given."""
    reply = json_reply({"live": True}, 503, b"Allow: GET\r\n")
    assert reply.head.startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
    assert b"Content-Length: 13\r\nAllow: GET\r\n" in reply.head
    assert repr(reply) == "<HttpReply 503 of 13 bytes>"


def test_raw_tensors_follow_the_json() -> None:
    """Without any, the JSON is all and is called so."""
    reply = binary_reply(b"{}", [b"abc", b"de"])
    assert b"Inference-Header-Content-Length: 2\r\nContent-Length: 7\r\n" in reply.head
    assert b"application/octet-stream" in reply.head
    assert b"application/json" in binary_reply(b"{}", []).head


@pytest.mark.parametrize(("code", "status", "retry"), [("overloaded", 503, True), ("too_large", 413, False)])
def test_a_refusal_is_worded_as_tritons(code: str, status: int, retry: bool) -> None:
    """With our code beside the sentence, and when to try again where that helps."""
    reply = refusal(error(code, "As it is."))
    assert (reply.status, orjson.loads(reply.parts[0])) == (status, {"error": "As it is.", "code": code})
    assert (b"Retry-After: " in reply.head) is retry
