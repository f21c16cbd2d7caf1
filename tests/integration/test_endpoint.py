"""The endpoint over real HTTP: streaming, heartbeats, failures, draining."""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
import pytest
import pytest_asyncio

from scurry.endpoint import exchange, frames, server
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
    monkeypatch.setattr(exchange, "BEAT_S", 0.01)
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
        assert frames.read(await response.read())[0][:2] == (0, frames.ANSWER)


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


async def test_a_large_body_is_taken(served: Served) -> None:
    """There is no limit on the size of an exchange."""
    assert (await served.calls(call("now"), call("x" * 5_000_000)))[0][:2] == (0, frames.ANSWER)


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
