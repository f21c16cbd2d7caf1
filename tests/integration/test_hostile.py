"""Raw bytes at a real listener: never a hang, no 5xx but 503, and the next caller is served."""

from __future__ import annotations

import asyncio
import gzip
import json
import random
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.integration.listening import BODY, CLOSE, Gateway, listening, post, status

from scurry.gateway.doors import patience
from scurry.gateway.doors.heads import MAX_HEAD

__all__ = ["listening"]

GET = b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
LENGTH = len(BODY)
SECRET = "SMUGGLED"
"""What a smuggled request asks for; nobody may come to answer it."""
INNER = f"GET /v2/models/{SECRET} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def statuses(answer: bytes) -> list[int]:
    """The statuses of all responses."""
    return [int(found) for found in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


async def is_served(gateway: Gateway) -> bool:
    """Whether the next caller gets an answer."""
    return status(await gateway.send(post(BODY, CLOSE))) == 200


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ((f"Content-Length: {LENGTH}", "Content-Length: 0"), BODY + INNER),
        (("Content-Length: 0", f"Content-Length: {LENGTH}"), INNER),
        (("Content-Length: 0, 0",), INNER),
        (("Content-Length: 6", "Transfer-Encoding: chunked"), b"0\r\n\r\n" + INNER),
        (("Transfer-Encoding: chunked", "Content-Length: 6"), b"0\r\n\r\n" + INNER),
        (("Transfer-Encoding: xchunked", "Content-Length: 0"), INNER),
        (("Transfer-Encoding: identity, chunked, identity",), b"0\r\n\r\n" + INNER),
        (("Transfer-Encoding:\x0bchunked", "Content-Length: 0"), INNER),
        (("Transfer-Encoding : chunked", "Content-Length: 0"), b"0\r\n\r\n" + INNER),
        (("Content-Length: 0\r\n continued",), INNER),
        (("X: a\r\n Content-Length: 0",), INNER),
        (("X: a\nContent-Length: 0",), INNER),
        (("X: a\rContent-Length: 0",), INNER),
        (("X: a\x00b", "Content-Length: 0"), INNER),
        (("Content-Length: -1",), INNER),
        (("Content-Length: +0",), INNER),
        (("Content-Length: 0x0",), INNER),
        (("Content-Length: 0_0",), INNER),
        (("Content-Length: ",), INNER),
        (("Content-Length: 99999999999999999999999",), INNER),
        (("Transfer-Encoding: chunked",), b"0;\nx\r\n\r\n" + INNER),
        (("Transfer-Encoding: chunked",), b"-1\r\n\r\n" + INNER),
        (("Transfer-Encoding: chunked",), b"1\n0\n\n" + INNER),
        (("Transfer-Encoding: chunked",), b"fffffffffffffffff\r\n" + INNER),
    ],
)  # fmt: skip
async def test_nothing_is_smuggled(gateway: Gateway, headers: tuple[str, ...], body: bytes) -> None:
    """A request that two readers could cut differently is refused, and the connection with it."""
    answer = await gateway.send(post(body, *headers))
    assert statuses(answer)[:1] == [400] or statuses(answer) == [413]
    assert len(statuses(answer)) == 1
    assert SECRET.encode() not in answer
    assert b"\r\nConnection: close\r\n" in answer
    assert await is_served(gateway)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("http://x/v2/health/live", 200),
        ("HTTP://x:80/v2/health/live?a=b", 200),
        ("http://x", 404),
        ("ftp://x/v2/health/live", 404),
        ("*", 400),
        ("//v2/health/live", 200),
        ("/v2/health/../health/live", 404),
        ("/v2/%68ealth/live", 200),
        ("/v2/models/m%00/ready", 404),
        ("/v2/models/%2e%2e/ready", 404),
        ("/v2/models/..%2fm/ready", 404),
        ("/v2/models/m%0d%0aX-Injected:%201/ready", 404),
        ("/v2/models/%ff%fe/ready", 404),
        ("/v2/models/%C0%AE/ready", 404),
        ("/v2/models/m%2fversions%2f1/ready", 404),
        ("/v2/models/" + "m" * 5000 + "/ready", 404),
        ("/v2/models/%", 404),
        ("/v2/models/<script>alert(1)</script>/ready", 404),
    ],
)
async def test_odd_targets_are_read_or_refused(gateway: Gateway, target: str, expected: int) -> None:
    """What is echoed stands in JSON only, and never in a header."""
    answer = await gateway.send(f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode("latin-1"))
    assert statuses(answer) == [expected]
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"X-Injected" not in head
    assert b"\r\nContent-Type: application/json\r\n" in head
    assert b"\r\nX-Content-Type-Options: nosniff\r\n" in head
    assert b"\r\nServer:" not in head
    json.loads(body)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\nHost: x\n\n",
        b"\r\n\r\n\r\nGET / HTTP/1.1\nHost: x\n\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(400),
        b"GET / HTTP/1.1\r\nX: " + b"x" * (MAX_HEAD + 1),
        b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 5000 + b"\r\n",
        b"\x00" * 100_000,
        b"A" * 100_000,
        b"GET /" + b"%" * 20_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_at_once(gateway: Gateway, data: bytes) -> None:
    """With 4xx; nobody waits for the time of a head to be over."""
    answer = await asyncio.wait_for(gateway.send(data), patience.HEAD_S / 3)
    assert all(400 <= one < 500 for one in statuses(answer))
    assert statuses(answer)
    assert await is_served(gateway)


async def test_a_flood_in_one_pipeline_leaves_others_their_turn(gateway: Gateway) -> None:
    """One who sends thousands of requests and reads no answer is read no further; who comes meanwhile is served."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    one = b"GET /v2/nothing HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(one * 50_000)
    assert await asyncio.wait_for(is_served(gateway), 5)
    got = 0
    while got < 50_000:
        got += (await asyncio.wait_for(reader.read(1 << 20), 10)).count(b"HTTP/1.1 404")
        if not got:
            break
        if got >= 49_990:  # a status line may be cut in two between reads
            break
    assert got >= 49_990
    writer.close()
    assert await is_served(gateway)


async def test_a_compressed_body_in_two_codings_is_no_bomb(gateway: Gateway) -> None:
    """Only one coding is undone; gzip in gzip is not JSON."""
    twice = gzip.compress(gzip.compress(BODY))
    assert status(await gateway.send(post(twice, "Content-Encoding: gzip, gzip", CLOSE))) == 400
    assert status(await gateway.send(post(twice, "Content-Encoding: gzip", CLOSE))) == 400
    assert await is_served(gateway)


PIECES = st.sampled_from(
    [b"GET ", b"POST ", b"OPTIONS * ", b"/v2", b"/v2/models/m/infer", b"/%00", b"?", b" HTTP/1.1", b" HTTP/1.0",
     b"\r\n", b"\n", b"\r", b"\r\n\r\n", b"Host: x\r\n", b"Content-Length: 5\r\n", b"Content-Length: 99999\r\n",
     b"Expect: 100-continue\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Encoding: gzip\r\n",
     b"Inference-Header-Content-Length: 3\r\n",
     b"Connection: close\r\n", b"Connection: upgrade\r\nUpgrade: websocket\r\n", b"Origin: https://x\r\n",
     b"Authorization: Bearer x\r\n", b": \r\n", b" \t", b"5\r\nhello\r\n", b"0\r\n\r\n", BODY, GET]
)  # fmt: skip
MESSAGES = st.lists(st.one_of(PIECES, st.binary(max_size=40)), min_size=1, max_size=14).map(b"".join)


async def told(gateway: Gateway, data: bytes, cut: int) -> bytes:
    """Send in two pieces, close our side, read what comes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    try:
        writer.write(data[:cut])
        await asyncio.sleep(0)
        writer.write(data[cut:])
        writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def test_whatever_comes_the_next_caller_is_served(monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests put together from pieces, and bytes that are none."""
    monkeypatch.setattr(patience, "HEAD_S", 0.2)
    monkeypatch.setattr(patience, "LINGER_S", 0.1)
    with asyncio.Runner() as runner:
        making = listening.__wrapped__(monkeypatch)  # type: ignore[attr-defined] - the fixture's own generator
        gateway = runner.run(anext(making))

        @settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
        @given(MESSAGES, st.integers(0, 60))
        def holds(data: bytes, cut: int) -> None:
            answer = runner.run(told(gateway, data, cut))
            assert all(one < 500 or one == 503 for one in statuses(answer)), answer
            assert b"Traceback" not in answer
            assert runner.run(is_served(gateway))

        holds()
        with pytest.raises(StopAsyncIteration):
            runner.run(anext(making))


async def test_random_bytes_are_no_trouble(gateway: Gateway) -> None:
    """Of a fixed seed, so that what is found can be found again."""
    chance = random.Random(7)
    for _ in range(50):
        answer = await told(gateway, chance.randbytes(chance.randrange(1, 4000)), 10)
        assert all(400 <= one < 500 for one in statuses(answer))
    assert await is_served(gateway)
