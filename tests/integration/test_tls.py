"""The listener over TLS, on both event loops: what holds without it holds with it."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop
from tests.certificates import Authority
from tests.integration.listening import BODY, CLOSE, LIMIT, Gateway, listening, post, status

from scurry.gateway.doors import patience
from scurry.gateway.doors.listener import Listener
from scurry.gateway.limits import COPIES, Admission
from scurry.serving.tls import Tls

Scenario = Callable[["Secured"], Awaitable[None]]


class Secured:
    """A gateway behind TLS, and one who trusts it."""

    def __init__(self, gateway: Gateway, tls: Tls, authority: Authority) -> None:
        self.plain, self.tls, self.authority = gateway, tls, authority
        self.trusting = ssl.create_default_context(cafile=str(authority.file))
        self.port = 0

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port, ssl=self.trusting)

    async def send(self, data: bytes) -> bytes:
        """Send bytes, return all that comes back until the connection closes."""
        reader, writer = await self.connect()
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()

    async def shown(self) -> str:
        """Whose certificate a new connection is shown."""
        _, writer = await self.connect()
        subject = dict(part[0] for part in writer.get_extra_info("peercert")["subject"])
        writer.close()
        return str(subject["commonName"])


@contextlib.asynccontextmanager
async def secured(folder: Path, monkeypatch: pytest.MonkeyPatch, *, mutual: bool) -> AsyncIterator[Secured]:
    """The gateway of the other tests, behind TLS."""
    authority = Authority(folder)
    tls = Tls(*authority.sign("server"), str(authority.file) if mutual else "")
    making = listening.__wrapped__(monkeypatch)  # type: ignore[attr-defined]
    gateway = await anext(making)
    listener = Listener(
        gateway.listener.door, Admission(4 * COPIES * LIMIT), max_body_bytes=LIMIT, body_timeout_s=0.5
    )
    made = Secured(gateway, tls, authority)
    made.port = await listener.open("127.0.0.1", 0, context=tls.context())
    made.plain.listener, old = listener, made.plain.listener
    try:
        yield made
    finally:
        await listener.close(1)
        made.plain.listener = old
        with contextlib.suppress(StopAsyncIteration):
            await anext(making)


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Plays a scenario on one of the loops."""

    def run(scenario: Scenario, *, mutual: bool = False) -> None:
        async def whole() -> None:
            async with asyncio.timeout(30), secured(tmp_path, monkeypatch, mutual=mutual) as gateway:
                await scenario(gateway)

        (uvloop.run if request.param == "uvloop" else asyncio.run)(whole())

    return run


def test_usual_and_unusual_requests_are_answered(play: Callable[..., None]) -> None:
    """In a pipeline, in chunks, compressed, larger than a record; also once aiohttp has the connection."""

    async def scenario(gateway: Secured) -> None:
        two = await gateway.send(post(BODY) + post(BODY, CLOSE))
        assert two.count(b"HTTP/1.1 200 OK") == 2
        chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
        assert status(await gateway.send(post(chunks, "Transfer-Encoding: chunked", CLOSE))) == 200
        assert status(await gateway.send(post(gzip.compress(BODY), "Content-Encoding: gzip", CLOSE))) == 200
        assert status(await gateway.send(post(gzip.compress(bytes(9 * LIMIT)), "Content-Encoding: gzip"))) == 413
        padded = BODY[:-1] + b" " * (LIMIT - len(BODY)) + b"}"
        assert status(await gateway.send(post(padded, CLOSE))) == 200
        assert status(await gateway.send(post(b"", f"Content-Length: {LIMIT + 1}"))) == 413
        while "Listener 0 connections" not in repr(gateway.plain.listener):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)

    play(scenario)


def test_slow_callers_are_given_up(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """In the head, in the body, before they ask."""
    monkeypatch.setattr(patience, "HEAD_S", 0.3)
    monkeypatch.setattr(patience, "IDLE_S", 0.3)

    async def scenario(gateway: Secured) -> None:
        for part in (b"POST /v2", post(BODY)[:-1], post(b"ff\r\nabc", "Transfer-Encoding: chunked")):
            answer = await gateway.send(part)
            assert status(answer) == 400
            assert b"did not arrive" in answer
        assert await gateway.send(b"") == b""
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)  # never shakes hands
        assert await asyncio.wait_for(reader.read(), 5) == b""
        writer.close()

    play(scenario)


def test_one_who_does_not_read_is_left(play: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    """However much he asks for."""
    monkeypatch.setattr(patience, "SEND_S", 0.3)

    async def scenario(gateway: Secured) -> None:
        reader, writer = await gateway.connect()
        reader._transport.pause_reading()  # type: ignore[attr-defined]
        padded = BODY[:-1] + b" " * (LIMIT - len(BODY)) + b"}"
        with contextlib.suppress(ConnectionError):
            for _ in range(200):
                writer.write(post(padded, target="/v2/models/m/infer") + b"GET /v2/repository HTTP/1.1\r\n\r\n" * 5000)
            await asyncio.wait_for(writer.drain(), 20)
        while "Listener 0 connections" not in repr(gateway.plain.listener):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        writer.close()
        assert status(await gateway.send(post(BODY, CLOSE))) == 200

    play(scenario)


def test_a_certificate_is_renewed_without_a_restart(play: Callable[..., None]) -> None:
    """Connections that there are go on; new ones are shown the new one."""

    async def scenario(gateway: Secured) -> None:
        reader, writer = await gateway.connect()
        gateway.authority.sign("renewed", "rsa", into="server")
        assert await gateway.shown() == "server"
        gateway.tls.reread()
        assert await gateway.shown() == "renewed"
        writer.write(post(BODY, CLOSE))
        assert status(await asyncio.wait_for(reader.read(), 5)) == 200
        writer.close()

    play(scenario)


def test_mutual_tls_lets_in_who_has_a_certificate(play: Callable[..., None]) -> None:
    """And nobody else."""

    async def scenario(gateway: Secured) -> None:
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            assert await gateway.send(post(BODY, CLOSE))
        assert gateway.plain.client.asked == 0
        gateway.trusting.load_cert_chain(*gateway.authority.sign("caller"))
        assert status(await gateway.send(post(BODY, CLOSE))) == 200

    play(scenario, mutual=True)


def test_plain_http_is_no_handshake(play: Callable[..., None]) -> None:
    """It is hung up on, and the next is served."""

    async def scenario(gateway: Secured) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(post(BODY))
        with contextlib.suppress(ConnectionError):
            assert b"HTTP/1.1 200" not in await asyncio.wait_for(reader.read(), 5)
        writer.close()
        assert gateway.plain.client.asked == 0
        assert status(await gateway.send(post(BODY, CLOSE))) == 200

    play(scenario)
