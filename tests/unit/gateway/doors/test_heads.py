"""Heads read as aiohttp reads them, once."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.heads import KNOWN, LONGEST, Heads, origin_form
from scurry.wire.errors import InvalidRequest


def head(*lines: str, start: str = "POST /v2/models/m/infer HTTP/1.1") -> bytes:
    """A head with these lines."""
    return "\r\n".join((start, "Host: x", *lines, "", "")).encode()


async def test_a_usual_head() -> None:
    """Its words, its headers whatever their case, and the size of the body."""
    found = Heads().read(head("content-LENGTH: 12", "Scurry-Key: user-7"))
    assert found is not None
    assert found[:2] == ("POST", "/v2/models/m/infer")
    assert (found.headers.get("scurry-key"), found.size, found.keep_alive) == ("user-7", 12, True)


async def test_without_a_length_there_is_no_body() -> None:
    """As for every GET."""
    found = Heads().read(head("Connection: close", start="GET /v2 HTTP/1.1"))
    assert found is not None
    assert (found.size, found.keep_alive) == (0, False)


@pytest.mark.parametrize(
    "data",
    [
        head(start="POST / HTTP/1.0"),
        head(start="GET / HTTP/2.0"),
        head("Transfer-Encoding: chunked"),
        head("Content-Encoding: gzip"),
        head("Expect: 100-continue", "Content-Length: 1"),
        head("Upgrade: websocket", "Connection: upgrade"),
        head("Content-Length: 1", "Content-Length: 2"),
        head("Content-Length: 1", "Content-Length: 1"),
        head("Content-Length: 1", "Transfer-Encoding: chunked"),
        head("Content-Length: -1"),
        head("Content-Length: 0x1"),
        head("Content-Length: 1_0"),
        head("Content-Length : 1"),
        head(" folded: 1"),
        head("bad header"),
        head("X: a\nContent-Length: 5"),
        head(start="CONNECT x:1 HTTP/1.1"),
        b"not http\r\n\r\n",
        b"\r\n\r\n",
        b"\x16\x03\x01\r\n\r\n",
    ],
)
async def test_what_is_unusual_is_left_to_aiohttp(data: bytes) -> None:
    """Whether it is right or wrong: above all what two readers could take for two things."""
    assert Heads().read(data) is None


async def test_the_same_bytes_are_read_once() -> None:
    """Others are read anew, and a long head each time."""
    heads = Heads()
    first = heads.read(head("Content-Length: 1"))
    assert heads.read(head("Content-Length: 1")) is first
    assert heads.read(head("Content-Length: 2")) is not first
    long = head("X: " + "x" * LONGEST)
    assert heads.read(long) is not heads.read(long)
    assert repr(heads) == "<Heads 2 known>"


async def test_few_are_remembered() -> None:
    """One who sends another head each time takes no more memory than the limit."""
    heads = Heads()
    for number in range(KNOWN + 1):
        heads.read(head(f"X: {number}"))
    assert repr(heads) == "<Heads 1 known>"


@pytest.mark.parametrize(
    ("target", "path"),
    [
        ("/v2", "/v2"),
        ("http://x/v2?a=b", "/v2?a=b"),
        ("HTTPS://x:8/v2/a://b", "/v2/a://b"),
        ("http://x", "/"),
        ("ftp://x/v2", "ftp://x/v2"),
        ("/http://x/v2", "/http://x/v2"),
        ("*", "*"),
    ],
)
def test_a_target_may_have_a_scheme_and_host(target: str, path: str) -> None:
    """As callers write it who think we are a proxy."""
    assert origin_form(target) == path


async def test_limits_of_a_head_are_the_parsers_too() -> None:
    """More headers, or a longer line, are left to who says so."""
    assert Heads(max_headers=3).read(head("A: 1", "B: 2")) is not None
    assert Heads(max_headers=2).read(head("A: 1", "B: 2", "C: 3")) is None
    with pytest.raises(InvalidRequest, match="larger than 100 bytes"):
        Heads(max_head_bytes=100).read(head("A: " + "x" * 101))
