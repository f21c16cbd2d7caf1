"""What aiohttp answers, on a real socket."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable

import pytest
from tests.integration.listening import BODY, CLOSE, LIMIT, Gateway, listening, post, status

from scurry.gateway.doors import patience

__all__ = ["listening"]


async def test_http_1_0_is_answered_and_closed(gateway: Gateway) -> None:
    """Unless it asks to be kept."""
    answer = await gateway.send(post(BODY, version="1.0"))
    assert status(answer) == 200
    assert b"Connection: close\r\n" in answer


async def test_chunked_bodies_are_read(gateway: Gateway) -> None:
    """Callers need not know the length before."""
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, BODY[:10], len(BODY) - 10, BODY[10:])
    answer = await gateway.send(post(chunks, "Transfer-Encoding: chunked", CLOSE))
    assert status(answer) == 200


async def test_a_caller_that_waits_for_100_is_told_to_go_on(gateway: Gateway) -> None:
    """curl does so before large bodies."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = post(b"", "Expect: 100-continue", CLOSE, f"Content-Length: {len(BODY)}")
    writer.write(head)
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert status(await asyncio.wait_for(reader.read(), 5)) == 200
    writer.close()


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_bodies_are_read(gateway: Gateway, coding: str, compress: Callable[[bytes], bytes]) -> None:
    """As Triton's client sends them."""
    answer = await gateway.send(post(compress(BODY), f"Content-Encoding: {coding}", CLOSE))
    assert status(answer) == 200


@pytest.mark.parametrize("size", [LIMIT + 1, 200 * LIMIT])
async def test_a_bomb_of_zeros_is_too_large(gateway: Gateway, size: int) -> None:
    """The limit is on what comes out, and only so much is ever unpacked."""
    answer = await gateway.send(post(gzip.compress(bytes(size)), "Content-Encoding: gzip"))
    assert status(answer) == 413
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "too_large"


async def test_rubbish_that_claims_to_be_compressed_is_400(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """With a sentence, like every refusal of ours; a mistake of the caller's is no error in our log."""
    for coding in ("gzip", "deflate"):
        answer = await gateway.send(post(b"not packed at all", f"Content-Encoding: {coding}"))
        told = json.loads(answer.rpartition(b"\r\n\r\n")[2])
        assert (status(answer), told["code"]) == (400, "bad_request")
        assert told["error"] == f"The body is not {coding}, as header Content-Encoding says."
    assert caplog.records == []


@pytest.mark.parametrize("coding", ["br", "zstd", "snappy", "gzip, gzip"])
@pytest.mark.parametrize("body", [b"{}", b"hello", BODY])
async def test_a_coding_that_nobody_reads_is_named(gateway: Gateway, coding: str, body: bytes) -> None:
    """And what was packed is not taken for what it is not."""
    answer = await gateway.send(post(body, f"Content-Encoding: {coding}"))
    told = json.loads(answer.rpartition(b"\r\n\r\n")[2])
    assert (status(answer), told["code"]) == (400, "bad_request")
    assert "Content-Encoding" in told["error"]
    assert "gzip" in told["error"]
    assert gateway.client.asked == 0


async def test_a_body_above_the_limit_is_refused_before_it_is_read(gateway: Gateway) -> None:
    """By its announced length."""
    answer = await gateway.send(post(b"", f"Content-Length: {LIMIT + 1}", "Expect: 100-continue"))
    assert status(answer) == 413
    assert str(LIMIT).encode() in answer
    assert gateway.client.asked == 0


async def test_a_chunked_body_above_the_limit_is_refused(gateway: Gateway) -> None:
    """By what has come so far."""
    chunk = b"%x\r\n%b\r\n" % (LIMIT, bytes(LIMIT))
    answer = await gateway.send(post(chunk * 2 + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert status(answer) == 413


async def test_what_is_not_http_is_400(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """And the listener lives on."""
    caplog.set_level("CRITICAL")
    assert status(await gateway.send(b"\x16\x03\x01 not http\r\n\r\n")) == 400
    assert status(await gateway.send(post(BODY, CLOSE))) == 200


async def test_parser_errors_are_told_in_our_json(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of the caller's is no error of ours: nothing is logged."""
    many = b"GET / HTTP/1.1\r\n" + b"".join(b"X-%d: 1\r\n" % number for number in range(200))
    for wrong in (b"not http at all\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", many):
        answer = await gateway.send(wrong + b"\r\n\r\n")
        assert status(answer) == 400
        assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "bad_request"
    assert status(await gateway.send(b"GET /" + b"x" * 20_000)) == 413
    assert caplog.records == []


async def test_a_chunk_that_is_none_is_told_in_our_json(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """The body's framing is the caller's too."""
    answer = await gateway.send(post(b"zz\r\n", "Transfer-Encoding: chunked"))
    assert status(answer) == 400
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "bad_request"
    assert caplog.records == []


async def test_the_rest_of_a_refused_body_is_not_read_for_ever(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender who goes on after the answer is cut off: little of what it has comes through."""
    monkeypatch.setattr(patience, "LINGER_S", 60.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(post(b"", "Transfer-Encoding: chunked"))
    chunk, sent = b"%x\r\n%b\r\n" % (LIMIT, bytes(LIMIT)), 0
    try:
        while sent < 600_000_000:
            writer.write(chunk)
            await asyncio.wait_for(writer.drain(), 10)
            sent += len(chunk)
    except ConnectionError:
        pass
    assert sent < 100_000_000
    writer.close()
    assert status(await reader.read(1000) if not reader.exception() else b"HTTP/1.1 413 -") == 413
