"""What listens for the job, over TLS: who may ask for what, and whose certificate is shown."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import uvloop
from tests.certificates import Authority

from scurry.endpoint import frames
from scurry.endpoint.call import Call, State
from scurry.endpoint.reqreply_pb2 import ToFunction
from scurry.endpoint.server import application
from scurry.rules import InvalidSettings
from scurry.serving import rereading
from scurry.serving.endpoints import opened
from scurry.settings import WorkerSettings

PAGES = ("/healthz", "/readyz", "/metrics")
FAST = b"POST /calls HTTP/1.1\r\nHost: job\r\nContent-Length: %d\r\n\r\n"


class Echo:
    """Answers every call, and counts them."""

    typename = "example/echo"
    state: State | None = None

    def __init__(self) -> None:
        self.asked = 0

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        self.asked += len(calls)
        for call in calls:
            done(call)


def call() -> bytes:
    """A call of it, as StateFun makes one."""
    out = ToFunction()
    out.invocation.target.namespace, out.invocation.target.type, out.invocation.target.id = "example", "echo", "k"
    return out.SerializeToString()


class Process:
    """A listening process, and whoever asks it."""

    def __init__(self, url: str, echo: Echo, authority: Authority) -> None:
        self.url, self.echo, self.authority = url, echo, authority

    def caller(self, cert: tuple[str, str] | None = None) -> ssl.SSLContext:
        """One who trusts the process, with this certificate or without."""
        made = ssl.create_default_context(cafile=str(self.authority.file))
        if cert:
            made.load_cert_chain(*cert)
        return made

    async def ask(self, caller: ssl.SSLContext | None, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Status and answer, by a general client over a connection of its own."""
        async with (
            aiohttp.ClientSession(self.url) as session,
            session.request(method, path, data=body, ssl=caller or True) as got,
        ):
            return got.status, await got.read()

    async def fast(self, caller: ssl.SSLContext | None, count: int = 1) -> bytes:
        """All that comes back to exchanges as the job sends them, one after the other on one connection."""
        host, port = self.url.partition("//")[2].split(":")
        reader, writer = await asyncio.open_connection(host, int(port), ssl=caller)
        body, got = frames.join([call()]), b""
        for _ in range(count):
            writer.write(FAST % len(body) + body)
            part = await asyncio.wait_for(reader.read(1 << 16), 10)
            got += part
            if not part.startswith(b"HTTP/1.1 200"):
                got += await asyncio.wait_for(reader.read(), 10)  # which ends when the process hangs up
                break
        writer.close()
        return got

    async def shown(self, caller: ssl.SSLContext) -> str:
        """Whose certificate a new connection is shown."""
        host, port = self.url.partition("//")[2].split(":")
        _, writer = await asyncio.open_connection(host, int(port), ssl=caller)
        subject = dict(part[0] for part in writer.get_extra_info("peercert")["subject"])
        writer.close()
        return str(subject["commonName"])


@asynccontextmanager
async def process(folder: Path, *, tls: bool = True, mutual: bool = True) -> AsyncIterator[Process]:
    """One on a free port."""
    authority, echo = Authority(folder), Echo()
    cert, key = authority.sign("server") if tls else ("", "")
    ca = str(authority.file) if mutual else ""
    app = application([echo])
    runner, url = await opened(app, WorkerSettings(port=0, tls_cert=cert, tls_key=key, tls_client_ca=ca))
    try:
        yield Process(url, echo, authority)
    finally:
        await runner.cleanup()


Play = Callable[..., None]


@pytest.fixture(params=["asyncio", "uvloop"])
def play(request: pytest.FixtureRequest, tmp_path: Path) -> Play:
    """Plays a scenario on one of the loops."""

    def run(scenario: Callable[[Process], Awaitable[None]], **flags: bool) -> None:
        async def whole() -> None:
            async with asyncio.timeout(30), process(tmp_path, **flags) as one:
                await scenario(one)

        (uvloop.run if request.param == "uvloop" else asyncio.run)(whole())

    return run


def test_without_a_certificate_only_the_pages_are_seen(play: Play) -> None:
    """Calls of either kind are refused in a sentence, the connection ends, and no function hears of them."""

    async def scenario(one: Process) -> None:
        nobody = one.caller()
        for page in PAGES:
            assert (await one.ask(nobody, "GET", page))[0] == 200
        refusal = (401, b"This process answers calls of those alone who show a certificate.")
        assert await one.ask(nobody, "POST", "/calls", frames.join([call()])) == refusal
        assert await one.ask(nobody, "POST", "/", call()) == refusal
        assert await one.ask(nobody, "GET", "/elsewhere") == refusal
        said = await one.fast(nobody, 3)
        assert said.startswith(b"HTTP/1.1 401 ")
        assert said.count(b"HTTP/1.1") == 1
        assert b"Connection: close" in said
        assert one.echo.asked == 0

    play(scenario)


def test_with_one_of_the_authority_calls_are_answered(play: Play) -> None:
    """On the short path and on the general one."""

    async def scenario(one: Process) -> None:
        job = one.caller(one.authority.sign("job", "rsa"))
        assert (await one.fast(job, 3)).count(b"HTTP/1.1 200 OK") == 3
        status, body = await one.ask(job, "POST", "/calls", frames.join([call(), call()]))
        assert (status, [frame[1] for frame in frames.read(body)]) == (200, [frames.ANSWER] * 2)
        assert (await one.ask(job, "POST", "/", call()))[0] == 200
        assert (await one.ask(job, "GET", "/elsewhere"))[0] == 405
        assert one.echo.asked == 6

    play(scenario)


def test_one_of_another_authority_ends_the_handshake(play: Play, tmp_path: Path) -> None:
    """Also for the pages: who shows something must be known."""
    (tmp_path / "other").mkdir()

    async def scenario(one: Process) -> None:
        stranger = one.caller(Authority(tmp_path / "other", "stranger").sign("job"))
        for path in PAGES:
            with pytest.raises((aiohttp.ClientError, ssl.SSLError, ConnectionError)):
                await one.ask(stranger, "GET", path)
        with pytest.raises((ssl.SSLError, ConnectionError, AssertionError)):
            assert await one.fast(stranger)
        assert one.echo.asked == 0
        assert (await one.ask(one.caller(), "GET", "/healthz"))[0] == 200

    play(scenario)


def test_both_are_renewed_while_it_runs(play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate that is shown, and the authority of those who call."""
    monkeypatch.setattr(rereading, "LOOK_S", 0.01)
    (tmp_path / "other").mkdir()

    async def scenario(one: Process) -> None:
        other = Authority(tmp_path / "other", "other")
        newcomer = one.caller(other.sign("job"))
        assert await one.shown(one.caller()) == "server"
        one.authority.sign("renewed", into="server")
        both = one.authority.file.read_bytes() + other.file.read_bytes()
        one.authority.file.write_bytes(both)
        while await one.shown(one.caller()) != "renewed":  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        async with asyncio.timeout(10):
            while not (await answered(one, newcomer)).startswith(b"HTTP/1.1 200"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    play(scenario)


async def answered(one: Process, caller: ssl.SSLContext) -> bytes:
    """What is answered; nothing when the handshake fails."""
    try:
        return await one.fast(caller)
    except (ssl.SSLError, ConnectionError):
        return b""


def test_without_an_authority_everybody_is_answered(play: Play) -> None:
    """Over TLS as well as without it."""

    async def scenario(one: Process) -> None:
        caller = one.caller() if one.url.startswith("https:") else None
        assert (await one.fast(caller, 2)).count(b"HTTP/1.1 200 OK") == 2
        assert (await one.ask(caller, "POST", "/", call()))[0] == 200

    play(scenario, mutual=False)
    play(scenario, tls=False, mutual=False)


async def test_what_cannot_be_used_is_told_before_anything_listens(tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(InvalidSettings, match=r"--tls-client-ca: .*no\.crt: No such file"):
        await opened(application([]), WorkerSettings(port=0, tls_cert=str(tmp_path / "no.crt"), tls_key="no.key"))
