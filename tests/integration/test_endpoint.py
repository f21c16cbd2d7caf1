"""The endpoint over real HTTP: streaming, heartbeats, failures, draining."""

from __future__ import annotations

import asyncio
import io
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest
import pytest_asyncio

from scurry.endpoint import frames, server
from scurry.endpoint.call import Call, State
from scurry.endpoint.reqreply_pb2 import FromFunction, ToFunction

STATE = State("count", "example/Count")


class Script:
    """A function whose keys say what to do: `now`, `late…` (awaits the gate), `raise`, `forget`."""

    typename = "example/script"
    state: State | None = None

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.batches: list[int] = []

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Obey the keys: prompt ones first."""
        self.batches.append(len(calls))
        for call in (c for c in calls if c.key == "now"):
            call.egress("example/out", "t/x", b"now")
            done(call)
            done(call)
        if any(c.key == "raise" for c in calls):
            raise RuntimeError("no luck")
        for call in (c for c in calls if c.key.startswith("late")):
            await self.gate.wait()
            done(call)


class Counter(Script):
    """A function with a state."""

    typename = "example/counter"
    state = STATE


class Served:
    """A listening endpoint and a client for it."""

    def __init__(self, session: aiohttp.ClientSession, endpoint: server.Endpoint, script: Script) -> None:
        self.session, self.endpoint, self.script = session, endpoint, script
        self.port = 0
        self.fit = True

    async def calls(self, *bodies: bytes) -> list[tuple[int, int, bytes]]:
        """One exchange, read to its end."""
        async with self.session.post("/calls", data=io.BytesIO(frames.join(list(bodies)))) as response:
            assert response.status == 200
            assert response.content_type == frames.CONTENT_TYPE
            return frames.read(await response.read())


@pytest_asyncio.fixture
async def served() -> AsyncIterator[Served]:
    """Script and Counter behind a real port."""
    script = Script()
    app = server.application([script, Counter()], ready=lambda: box.fit)
    runner, port = await server.listen(app, "127.0.0.1", 0)
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        box = Served(session, app[server.ENDPOINT], script)
        box.port = port
        yield box
        script.gate.set()
    await runner.cleanup()


def call(key: str, function: str = "example/script", states: Sequence[str] = ()) -> bytes:
    """A serialised ToFunction."""
    out = ToFunction()
    out.invocation.target.namespace, _, out.invocation.target.type = function.partition("/")
    out.invocation.target.id = key
    for name in states:
        out.invocation.state.add(state_name=name)
    return out.SerializeToString()


async def test_prompt_calls_are_answered_in_one_unchunked_response(served: Served) -> None:
    """What is done before the loop turns needs no stream, and reaches the function together."""
    async with served.session.post("/calls", data=frames.join([call("now")] * 3)) as response:
        body = await response.read()
        assert response.headers["Content-Length"] == str(len(body))
    answers = frames.read(body)
    assert [(index, kind) for index, kind, _ in answers] == [(0, 0), (1, 0), (2, 0)]
    assert FromFunction.FromString(answers[0][2]).invocation_result.outgoing_egresses[0].argument.value == b"now"
    assert served.script.batches == [3]


async def test_a_slow_call_does_not_delay_a_fast_one(served: Served) -> None:
    """The fast call's frame arrives while the slow one is still computing."""
    async with served.session.post("/calls", data=frames.join([call("late"), call("now")])) as response:
        first = await response.content.readany()
        assert [frame[:2] for frame in frames.read(first)] == [(1, frames.ANSWER)]
        served.script.gate.set()
        assert [frame[:2] for frame in frames.read(await response.read())] == [(0, frames.ANSWER)]


async def test_heartbeats_flow_while_something_is_computed(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silence never lasts longer than the heartbeat."""
    monkeypatch.setattr(server, "BEAT_S", 0.01)
    async with served.session.post("/calls", data=frames.join([call("late")])) as response:
        assert await response.content.readexactly(18) == frames.BEAT * 2
        served.script.gate.set()
        assert frames.read(await response.read())[-1][:2] == (0, frames.ANSWER)


async def test_a_function_that_raises_fails_only_what_it_left(served: Served) -> None:
    """Finished calls keep their answers; the others get the reason in one sentence."""
    answers = await served.calls(call("raise"), call("now"), call("late"))
    kinds = {index: kind for index, kind, _ in answers}
    assert kinds == {0: frames.FAILED, 1: frames.ANSWER, 2: frames.FAILED}
    assert answers[-1][2] == b"example/script failed: RuntimeError: no luck"


async def test_a_forgotten_call_fails(served: Served) -> None:
    """A function that returns without answering does not leave the caller waiting."""
    assert await served.calls(call("forget")) == [(0, frames.FAILED, b"example/script did not answer this call.")]


async def test_what_cannot_be_served_fails_alone(served: Served) -> None:
    """Garbage and unknown functions are answered for themselves."""
    frame_list = await served.calls(b"\xff", call("x", "a/b"), call("now"))
    answers = {index: (kind, payload) for index, kind, payload in frame_list}
    assert answers[0] == (frames.FAILED, b"Call 0 is not a ToFunction message.")
    assert answers[1] == (frames.FAILED, b"Function 'a/b' is not served here; example/counter, example/script are.")
    assert answers[2][0] == frames.ANSWER


async def test_a_state_that_did_not_travel_is_asked_for(served: Served) -> None:
    """The call comes back as incomplete and names the state; once it travels, it is served."""
    ((_, kind, payload),) = await served.calls(call("now", "example/counter"))
    assert kind == frames.ANSWER
    missing = FromFunction.FromString(payload).incomplete_invocation_context.missing_values
    assert [m.state_name for m in missing] == ["count"]
    ((_, _, payload),) = await served.calls(call("now", "example/counter", ["count"]))
    assert FromFunction.FromString(payload).HasField("invocation_result")


async def test_two_functions_in_one_exchange(served: Served) -> None:
    """Each function gets its own calls and none waits for the other."""
    bodies = [call("late"), call("now", "example/counter", ["count"])]
    async with served.session.post("/calls", data=frames.join(bodies)) as response:
        assert frames.read(await response.content.readany())[0][:2] == (1, frames.ANSWER)
        served.script.gate.set()
        assert frames.read(await response.read())[0][:2] == (0, frames.ANSWER)


async def test_an_empty_exchange_is_answered(served: Served) -> None:
    """No calls, no frames."""
    assert await served.calls() == []


async def test_a_body_that_is_no_frames_is_refused(served: Served) -> None:
    """Not even the number of calls is known: 400."""
    async with served.session.post("/calls", data=b"\0\0") as response:
        assert response.status == 400


async def test_a_draining_endpoint_refuses_and_finishes(served: Served) -> None:
    """New calls are sent elsewhere; those inside are answered before drain returns."""
    async with served.session.post("/calls", data=frames.join([call("late")])) as response:
        assert not await served.endpoint.drain(0.01)
        assert await served.calls(call("now"), call("now")) == [(0, frames.DRAINING, b""), (1, frames.DRAINING, b"")]
        async with served.session.post("/", data=call("now")) as plain:
            assert plain.status == 503
        async with served.session.get("/readyz") as ready:
            assert (ready.status, await ready.json()) == (503, {"ready": False})
        served.script.gate.set()
        assert await served.endpoint.drain(5)
        assert frames.read(await response.read())[-1][:2] == (0, frames.ANSWER)


async def test_the_plain_protocol_answers_one_call(served: Served) -> None:
    """StateFun's own client gets one FromFunction on any path."""
    for path in ("/", "/some/function"):
        async with served.session.post(path, data=call("now")) as response:
            assert (response.status, response.content_type) == (200, "application/octet-stream")
            out = FromFunction.FromString(await response.read())
            assert out.invocation_result.outgoing_egresses[0].argument.value == b"now"


async def test_a_plain_call_that_fails_is_repeated_by_its_client(served: Served) -> None:
    """A failure is a 5xx, on which StateFun tries again."""
    async with served.session.post("/", data=call("raise")) as response:
        assert response.status == 500
        assert "no luck" in await response.text()


async def test_a_caller_that_goes_away_harms_nobody(served: Served) -> None:
    """The function finishes for nobody and the endpoint is idle afterwards."""
    async with served.session.post("/calls", data=frames.join([call("late")])) as response:
        response.close()
    served.script.gate.set()
    assert await served.endpoint.drain(5)


async def chunks(body: bytes) -> AsyncIterator[bytes]:
    """A body whose length is not told beforehand."""
    yield body[:5]
    yield body[5:]


async def test_a_client_with_ways_of_its_own_gets_the_same(served: Served) -> None:
    """A chunked body goes through aiohttp: prompt, slow, failed and empty exchanges alike."""
    body = frames.join([call("late"), call("now"), b"\xff"])
    async with served.session.post("/calls", data=chunks(body)) as response:
        assert (response.status, response.content_type) == (200, frames.CONTENT_TYPE)
        early = frames.read(await response.content.readany())
        assert early[0][:2] == (2, frames.FAILED)
        served.script.gate.set()
        rest = frames.read(await response.read())
        assert sorted(frame[:2] for frame in early + rest) == [(0, 0), (1, 0), (2, 2)]
    async with served.session.post("/calls", data=chunks(b"")) as response:
        assert await response.read() == b""
    async with served.session.post("/calls", data=chunks(b"\0\0")) as response:
        assert response.status == 400


@asynccontextmanager
async def raw(served: Served, *pieces: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """A connection on which these bytes were written, one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0.0002)
    try:
        yield reader
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


def post(*calls: bytes, head: bytes = b"Host: x\r\n", path: bytes = b"/calls") -> bytes:
    """An HTTP request as the job writes it."""
    body = frames.join(list(calls))
    return b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (path, head, len(body), body)


async def read_response(reader: asyncio.StreamReader) -> bytes:
    """The body of one response with a Content-Length."""
    head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    return await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))


async def test_a_request_may_come_in_pieces(served: Served) -> None:
    """Byte by byte makes no difference."""
    request = post(call("now"))
    async with raw(served, *(request[at : at + 1] for at in range(len(request)))) as reader:
        assert frames.read(await read_response(reader))[0][:2] == (0, frames.ANSWER)


async def test_requests_of_one_connection_are_answered_in_order(served: Served) -> None:
    """Sent together, even with other paths in between."""
    health = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    async with raw(served, post(call("now")) + post(call("now"), call("now")) + health + post(call("now"))) as reader:
        assert len(frames.read(await read_response(reader))) == 1
        assert len(frames.read(await read_response(reader))) == 2
        assert await read_response(reader) == b'{"alive": true}'
        rest = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)
        assert frames.CONTENT_TYPE.encode() in rest


@pytest.mark.parametrize(
    "start", [b"\x16\x03\x01", b"PUT /calls HTTP/1.1\r\n\r\n", b"POST /calls HTTP/1.1\r\nContent-Length: x\r\n\r\n"]
)
async def test_what_is_no_request_of_ours_is_refused(served: Served, start: bytes) -> None:
    """aiohttp says what is wrong with it, and nothing breaks."""
    async with raw(served, start + b"\r\n\r\n") as reader:
        assert (await asyncio.wait_for(reader.read(12), 5)).endswith((b" 400", b" 405"))
        assert (await served.calls(call("now")))[0][1] == frames.ANSWER


async def test_an_endless_head_is_refused(served: Served) -> None:
    """A head has a limit."""
    async with raw(served, b"POST /calls HTTP/1.1\r\nX: " + b"x" * 40_000 + b"\r\n\r\n") as reader:
        assert (await asyncio.wait_for(reader.read(12), 5)).endswith(b" 400")


async def test_expect_continue_is_honoured(served: Served) -> None:
    """curl asks before it sends a large body."""
    async with raw(served, post(call("now"), head=b"Host: x\r\nExpect: 100-continue\r\n")) as reader:
        assert (await asyncio.wait_for(reader.readline(), 5)) == b"HTTP/1.1 100 Continue\r\n"


async def test_a_large_body_is_taken(served: Served) -> None:
    """The limit on the size of an exchange lies far above what the job sends."""
    assert (await served.calls(call("now"), call("x" * 5_000_000)))[0][:2] == (0, frames.ANSWER)


async def test_a_body_beyond_the_limit_is_refused_unread(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its head, before a byte of it is kept; the connection ends, the process goes on."""
    async with raw(served, b"POST /calls HTTP/1.1\r\nContent-Length: 999999999999\r\n\r\nabc") as reader:
        assert (await asyncio.wait_for(reader.read(), 5)).startswith(b"HTTP/1.1 413 ")
    assert (await served.calls(call("now")))[0][:2] == (0, frames.ANSWER)


async def test_health_tells_alive_and_ready(served: Served) -> None:
    """Alive whenever it answers; ready when the process says so."""
    async with served.session.get("/healthz") as response:
        assert (response.status, await response.json()) == (200, {"alive": True})
    async with served.session.get("/readyz") as response:
        assert (response.status, await response.json()) == (200, {"ready": True})
    served.fit = False
    async with served.session.get("/readyz") as response:
        assert (response.status, await response.json()) == (503, {"ready": False})
    assert "not ready" in repr(served.endpoint)


@pytest_asyncio.fixture
async def functions() -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """A functions process as `scurry functions` starts it, and its address."""
    code = (
        "from scurry.serving.functions import run; from scurry.settings import FunctionsSettings as S; run(S(port=0))"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, stderr=asyncio.subprocess.PIPE)
    assert process.stderr
    line = (await asyncio.wait_for(process.stderr.readline(), 20)).decode()
    yield process, re.search(r"functions ready on (http://[\d.:]+)", line)[1]  # type: ignore[index]
    if process.returncode is None:
        process.kill()
    await process.communicate()


async def test_the_functions_process(functions: tuple[asyncio.subprocess.Process, str]) -> None:
    """Router and registry are behind one address, on every path, until SIGTERM; then it leaves with status 0."""
    process, address = functions
    async with aiohttp.ClientSession(address) as session:
        for path in ("/readyz", "/healthz"):
            async with session.get(path) as response:
                assert response.status == 200
        bodies = [call("m", "scurry/router", ["router"]), call("m", "scurry/registry", ["record"])]
        for data in (frames.join(bodies), chunks(frames.join(bodies))):
            async with session.post("/calls", data=data) as response:
                answers = frames.read(await response.read())
                assert sorted(frame[:2] for frame in answers) == [(0, frames.ANSWER), (1, frames.ANSWER)]
        process.send_signal(signal.SIGTERM)
        assert await asyncio.wait_for(process.wait(), 10) == 0
