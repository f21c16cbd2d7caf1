"""The harness, and with it router and registry together."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from scurry.endpoint.call import Call, State
from scurry.testing import Harness
from scurry.wire.addresses import Lane, parse
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import (
    Done,
    Load,
    Loaded,
    LoadFailed,
    Loading,
    Replies,
    Reply,
    Request,
    Requests,
    RouterState,
    Unload,
    Update,
)
from scurry.wire.names import EGRESS, INFERENCE, REGISTRY, ROUTER


class FakeInference:
    """A worker whose every model answers its inputs plus its generation. `fail`, `slow` and `kill` steer it."""

    typename = INFERENCE
    state: State | None = None

    def __init__(self) -> None:
        self.loaded: dict[tuple[str, str], int] = {}  # generation opened last
        self.identities: dict[str, tuple[str, str]] = {}  # of all that is open
        self.batches: list[tuple[str, int]] = []
        self.fail: set[str] = set()  # uris that cannot be loaded
        self.slow: dict[str, int] = {}  # uri → so many times Loading before Loaded
        self.kill: set[str] = set()  # ids of requests that end the worker
        self.mute: set[str] = set()  # models that never report
        self.gate: asyncio.Event | None = None

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer as a worker does: one Replies per call, Done when asked."""
        if self.gate is not None:
            await self.gate.wait()
        for call in calls:
            self._call(call)
            done(call)

    def _call(self, call: Call) -> None:
        address = parse(call.key)
        assert address is not None
        model, version = address.model, address.version
        replies, done = Replies(), Done()
        for message in call.messages:
            if message.typename == "scurry.v1/Load":
                self._load(call, Load.FromString(message.value))
            elif message.typename == "scurry.v1/Unload":
                self._unload(Unload.FromString(message.value))
            else:
                requests = Requests.FromString(message.value)
                assert requests.version == version
                replies.replies.extend(self._answer(r, requests, version) for r in requests.requests)
                if requests.report and isinstance(address, Lane):
                    done = Done(version=version, lane=address.lane, sequence=requests.sequence)
        self.batches.append((call.key, len(replies.replies)))
        if replies.replies:
            call.egress(EGRESS, "scurry.v1/Replies", replies.SerializeToString())
        if done.sequence and model not in self.mute:
            call.send(ROUTER, model, "scurry.v1/Done", done.SerializeToString())

    def _load(self, call: Call, load: Load) -> None:
        about = {"version": load.version, "lane": load.lane, "generation": load.spec.generation}
        about["identity"] = load.spec.identity
        answer: Loaded | LoadFailed | Loading
        if load.spec.uri in self.fail:
            answer = LoadFailed(**about, error="load_failed", message="broken file")
        elif self.slow.get(load.spec.uri, 0) > 0:
            self.slow[load.spec.uri] -= 1
            answer = Loading(**about)
        else:
            self.loaded[load.model, load.version] = load.spec.generation
            self.identities[load.spec.identity] = load.model, load.version
            answer = Loaded(**about, worker="w", bytes=1000, max_batch_size=16, runtime="onnx", device="CPU")
            answer.signature.batched = True
            answer.signature.inputs.add(name="x", datatype="FP32", shape=[-1, 2])
        call.send(REGISTRY, load.model, f"scurry.v1/{type(answer).__name__}", answer.SerializeToString())

    def _unload(self, unload: Unload) -> None:
        assert unload.identity
        self.identities.pop(unload.identity, None)
        if (unload.model, unload.version) not in self.identities.values():
            self.loaded.pop((unload.model, unload.version), None)

    def _answer(self, request: Request, requests: Requests, version: str) -> Reply:
        if request.id in self.kill:
            raise RuntimeError("worker lost")
        out = InferReply()
        for tensor in InferRequest.FromString(request.body).inputs:
            array = np.frombuffer(tensor.data, "<f4") + np.float32(requests.spec.generation)
            out.outputs.add(name="y", datatype="FP32", shape=tensor.shape, data=array.astype("<f4").tobytes())
        return Reply(
            id=request.id, entry=request.entry, reply=request.reply, model=request.model, version=version,
            body=out.SerializeToString(),
        )  # fmt: skip


X = {"x": np.array([[1, 2]], "<f4")}


async def ready(*uris: str) -> tuple[Harness, FakeInference]:
    """A harness with model `m`, one version for each uri."""
    worker = FakeInference()
    harness = Harness(worker)
    for number, uri in enumerate(uris, 1):
        await harness.register("m", uri, str(number))
    return harness, worker


async def test_register_then_infer() -> None:
    """A registered model answers, and its record says what it is."""
    harness, worker = await ready()
    record = await harness.register("m", "/models/m.onnx", config={"max_batch_size": 8})
    assert record["routes"] == {"1": 1}
    (version,) = record["versions"]
    assert (version["state"], version["runtime"], version["generation"]) == ("ready", "onnx", 1)
    assert (version["bytes"], version["device"], version["max_batch_size"]) == (1000, "CPU", 16)
    assert version["signature"]["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    answer = await harness.infer("m", X)
    assert answer["y"].tolist() == [[2, 3]]
    assert harness.out.views["m"] == record
    assert worker.loaded == {("m", "1"): 1}


async def test_an_unknown_model_leaves_no_trace() -> None:
    """However many unknown names are asked for, nothing is kept."""
    harness, _ = await ready("a.onnx")
    before = dict(harness.states)
    for number in range(20):
        with pytest.raises(NotFound) as raised:
            await harness.infer(f"nobody-{number}", X)
        assert raised.value.code == "model_not_found"
    assert harness.states == before


async def test_two_versions_answer_side_by_side() -> None:
    """Each version answers when asked for; the newest answers when none is."""
    harness, _ = await ready("a.onnx", "b.onnx")
    assert (await harness.infer("m", X, version="1"))["y"].tolist() == [[2, 3]]
    assert (await harness.infer("m", X, version="2"))["y"].tolist() == [[3, 4]]
    assert (await harness.infer("m", X))["y"].tolist() == [[3, 4]]
    with pytest.raises(NotFound) as raised:
        await harness.infer("m", X, version="3")
    assert raised.value.code == "version_not_found"


async def test_requests_while_a_model_is_loading() -> None:
    """They wait for it, as long as their deadline allows."""
    harness, worker = await ready()
    worker.slow["slow.onnx"] = 4
    with pytest.raises(LookupError):
        await harness.register("m", "slow.onnx", "1")
    held = [harness.request("m"), harness.request("m", version="1"), harness.request("m", deadline=harness.clock() + 9)]
    assert await harness.ask(*held) == [None] * 3
    await harness.advance(10_000)
    assert harness.out.views["m"]["versions"][0]["state"] == "ready"
    assert [harness.out.replies[request.id].error for request in held] == ["", "", "deadline_exceeded"]
    assert (await harness.infer("m", X))["y"].tolist() == [[2, 3]]


async def test_a_load_that_fails_says_why() -> None:
    """The registrar and the view get the reason."""
    harness, worker = await ready()
    worker.fail.add("broken.onnx")
    with pytest.raises(Failed) as raised:
        await harness.register("m", "broken.onnx")
    assert (raised.value.code, raised.value.message) == ("load_failed", "broken file")
    assert harness.out.views["m"]["versions"][0]["reason"] == "broken file"
    with pytest.raises(Unavailable):
        await harness.infer("m", X)


async def test_a_changed_spec_replaces_a_version_without_a_gap() -> None:
    """The former spec answers until the new one is loaded; one that fails changes nothing."""
    harness, worker = await ready("a.onnx")
    worker.slow["b.onnx"] = 2
    with pytest.raises(LookupError):
        await harness.register("m", "b.onnx", "1")
    assert (await harness.infer("m", X))["y"].tolist() == [[2, 3]]
    await harness.advance(10_000)
    assert (await harness.infer("m", X))["y"].tolist() == [[3, 4]]
    worker.fail.add("c.onnx")
    with pytest.raises(Failed):
        await harness.register("m", "c.onnx", "1")
    assert (await harness.infer("m", X))["y"].tolist() == [[3, 4]]


async def test_workers_hold_what_is_registered_and_nothing_else() -> None:
    """What was replaced or failed goes from every worker, as soon as no request is on its way to it."""
    harness, worker = await ready("a.onnx")
    (first,) = worker.identities
    worker.gate = asyncio.Event()
    harness.send(ROUTER, "m", Requests(requests=[harness.request("m")]))
    running = asyncio.create_task(harness.run())
    for _ in range(5):
        await asyncio.sleep(0)
    change = Update(model="m", id="again", json='{"register": {"uri": "a.onnx", "version": "1"}}')
    harness.send(REGISTRY, "m", change)
    for _ in range(20):
        await asyncio.sleep(0)
    worker.gate.set()
    await running
    assert not harness.reply("again").error
    (second,) = worker.identities
    assert first != second == harness.out.views["m"]["versions"][0]["identity"]
    worker.fail.add("b.onnx")
    with pytest.raises(Failed):
        await harness.register("m", "b.onnx", "1")
    assert list(worker.identities) == [second]
    assert [value.identity for value in unloads(harness)] != []
    await harness.update("m", '{"unregister": {}}')
    assert worker.identities == {}


def unloads(harness: Harness) -> list[Unload]:
    """Every Unload that was sent, each to all workers."""
    mail = [mail for mail in harness.sent if mail.typename == "scurry.v1/Unload"]
    assert {mail.to[1].partition("/")[2] for mail in mail} <= {"load/all"}
    return [Unload.FromString(each.value) for each in mail]


async def test_unregister_waits_for_what_is_outstanding() -> None:
    """The version drains, is unloaded, and only then is the message answered."""
    harness, worker = await ready("a.onnx", "b.onnx")
    worker.gate = asyncio.Event()
    asked = harness.request("m", version="1")
    harness.send(ROUTER, "m", Requests(requests=[asked]))
    running = asyncio.create_task(harness.run())
    for _ in range(5):
        await asyncio.sleep(0)
    leave = Update(model="m", id="leave")
    leave.unregister.version = "1"
    harness.send(REGISTRY, "m", leave)
    late = harness.request("m", version="1")
    for _ in range(20):
        await asyncio.sleep(0)
    assert harness.out.views["m"]["versions"][0]["state"] == "draining"
    assert "leave" not in harness.out.replies
    worker.gate.set()
    await running
    assert harness.out.replies[asked.id].version == "1"
    assert [v["version"] for v in json.loads(harness.out.replies["leave"].record)["versions"]] == ["2"]
    await harness.ask(late)
    await harness.advance(1_000)
    assert harness.out.replies[late.id].error == "version_not_found"
    assert ("m", "1") not in worker.loaded


async def test_unregister_of_a_model_forgets_it() -> None:
    """The view's field goes, the router forgets it, and a later registration has a newer generation."""
    harness, worker = await ready("a.onnx", "b.onnx")
    await harness.infer("m", X)
    record = await harness.update("m", '{"unregister": {}}')
    assert record == {"model": "m", "versions": []}
    assert harness.out.views == {}
    assert (ROUTER, "m") not in harness.states
    assert worker.loaded == {}
    with pytest.raises(NotFound) as raised:
        await harness.infer("m", X)
    assert raised.value.code == "model_not_found"
    record = await harness.register("m", "a.onnx")
    assert record["versions"][0]["generation"] > 2


async def test_draining_has_a_limit() -> None:
    """A lane that never reports does not keep its version for ever; the reply says so."""
    harness, worker = await ready("a.onnx")
    worker.mute.add("m")
    await harness.infer("m", X)
    with pytest.raises(LookupError):
        await harness.update("m", '{"unregister": {}}')
    await harness.advance(60_000)
    (reply,) = (reply for reply in harness.out.replies.values() if "drain limit" in reply.message)
    assert not reply.error
    assert harness.out.views == {}


async def test_alias_split_promote_rollback() -> None:
    """Routes change by message, and back."""
    harness, _ = await ready("a.onnx", "b.onnx")
    await harness.update("m", '{"alias": {"alias": "stable", "version": 1}}')
    assert (await harness.infer("m", X, version="stable"))["y"].tolist() == [[2, 3]]
    record = await harness.update("m", '{"split": {"weights": {"stable": 1, "2": 1}}}')
    assert record["routes"] == {"1": 1, "2": 1}
    seen = {(await harness.infer("m", X, key=f"k{i}"))["y"][0, 0] for i in range(20)}
    assert seen == {2, 3}
    assert len({(await harness.infer("m", X, key="same"))["y"][0, 0] for _ in range(5)}) == 1
    assert (await harness.update("m", '{"promote": {"version": "stable"}}'))["routes"] == {"1": 1}
    assert (await harness.update("m", '{"rollback": {}}'))["routes"] == {"1": 1, "2": 1}
    assert (await harness.update("m", '{"rollback": {}}'))["routes"] == {"2": 1}


async def test_a_request_that_ends_its_worker_is_isolated() -> None:
    """Its batch-mates are answered when sent again alone; it is not, and lies with the dead letters as it came."""
    harness, worker = await ready("a.onnx")
    requests = [harness.request("m", body=b"") for _ in range(5)]
    worker.kill.add(requests[2].id)
    await harness.ask(*requests)
    await harness.advance(60_000)
    errors = [harness.out.replies[request.id].error for request in requests]
    assert errors == ["", "", "worker_lost", "", ""]
    (letter,) = harness.out.dead
    assert letter.request == requests[2]
    assert (letter.attempts, letter.cause.partition(":")[0]) == (4, "worker_lost")
    assert not harness.out.repeated


async def test_a_load_that_loses_its_worker_again_and_again_fails() -> None:
    """The registrar learns it; the registry does not try for ever."""
    harness, worker = await ready()

    async def die(calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        raise RuntimeError("killed")

    worker.serve = die  # type: ignore[method-assign]
    with pytest.raises(LookupError):
        await harness.register("m", "a.onnx")
    await harness.advance(600_000)
    assert "worker was lost" in harness.out.views["m"]["versions"][0]["reason"]


async def test_a_load_that_is_never_answered_fails_after_ten_minutes() -> None:
    """Waiting has a limit."""
    harness, worker = await ready()
    worker.slow["a.onnx"] = 10_000
    with pytest.raises(LookupError):
        await harness.register("m", "a.onnx")
    await harness.advance(590_000)
    assert harness.out.views["m"]["versions"][0]["state"] == "loading"
    await harness.advance(30_000)
    assert harness.out.views["m"]["versions"][0]["state"] == "failed"
    assert not harness.waiting


class Upper:
    """A user function that answers in upper case."""

    typename = "example/upper"
    state: State | None = None

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Reply to the caller, as one written with the SDK does."""
        for call in calls:
            for message in call.messages:
                request = Request.FromString(message.value)
                reply = Reply(id=request.id, entry=request.entry, reply=request.reply, body=request.body.upper())
                assert message.caller
                call.send(*message.caller, "scurry.v1/Reply", reply.SerializeToString())
            done(call)


async def test_a_user_function_answers_as_a_version() -> None:
    """A function of the user's own is ready at once, gets the requests one by one, and its lanes do not fill up."""
    harness = Harness(FakeInference(), Upper())
    record = await harness.register("shout", "example/upper", "1", "function")
    assert record["versions"][0]["state"] == "ready"
    for _ in range(3):
        replies = await harness.ask(*(harness.request("shout", body=b"hello") for _ in range(100)))
        assert {(reply.body, reply.model, reply.version) for reply in replies if reply} == {(b"HELLO", "shout", "1")}
    (state,) = RouterState.FromString(harness.states[ROUTER, "shout"]).versions
    assert list(state.sent) == list(state.done) == [150, 150]
    await harness.update("shout", '{"unregister": {}}')
    assert (ROUTER, "shout") not in harness.states


async def test_an_entry_that_makes_no_sense_is_answered_and_kept() -> None:
    """It gets bad_request and a dead letter with its raw fields."""
    harness, _ = await ready()
    request = Request(id="7-0", entry="scurry:requests/7-0", defect="There is no field model.", fields={"foo": b"bar"})
    harness.send(ROUTER, "!", Requests(requests=[request]))
    await harness.run()
    reply = harness.out.replies["7-0"]
    assert (reply.error, reply.message, reply.model) == ("bad_request", "There is no field model.", "")
    assert harness.out.dead[0].fields == {"foo": b"bar"}
    assert harness.states == {}


async def test_messages_that_arrive_while_a_call_is_in_flight_are_its_next_batch() -> None:
    """One call in flight per address: each lane sees what came first, then all the rest at once."""
    harness, worker = await ready("a.onnx")
    worker.batches.clear()
    worker.gate = asyncio.Event()
    running = asyncio.create_task(harness.ask(harness.request("m")))
    for _ in range(40):
        harness.send(ROUTER, "m", Requests(requests=[harness.request("m")]))
        for _ in range(5):
            await asyncio.sleep(0)
    worker.gate.set()
    await running
    assert sorted(address for address, _ in worker.batches) == ["m@1/0", "m@1/0", "m@1/1", "m@1/1"]
    assert sum(size for _, size in worker.batches) == 41
    assert min(size for _, size in worker.batches[2:]) > 15


async def test_the_first_reply_wins() -> None:
    """The same id a second time is kept apart."""
    harness, _ = await ready("a.onnx")
    await harness.ask(harness.request("m", id="same"))
    first = harness.out.replies["same"]
    await harness.ask(harness.request("m", id="same"))
    assert harness.out.replies["same"] is first
    assert [reply.id for reply in harness.out.repeated] == ["same"]


async def test_a_function_that_raises_fails_the_test() -> None:
    """Only workers bounce: a broken router or registry is not hidden."""

    class Broken(Upper):
        typename = ROUTER

        async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
            raise ValueError("broken")

    harness = Harness(Broken())
    with pytest.raises(ValueError, match="broken"):
        await harness.ask(harness.request("m"))


async def test_mail_for_nobody_fails_the_test() -> None:
    """A message to a function that is not there is a mistake in the test."""
    with pytest.raises(LookupError, match="scurry/inference"):
        await Harness().register("m", "a.onnx")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"lode": {}}', '{"register": {"url": "a"}}'])
async def test_an_update_that_makes_no_sense_changes_nothing(text: str) -> None:
    """It is refused by name and noted, and no state appears."""
    harness, _ = await ready()
    with pytest.raises(InvalidRequest) as raised:
        await harness.update("m", text)
    assert raised.value.code == "bad_request"
    assert harness.states == {}
    assert [(audit.update, audit.outcome) for audit in harness.out.audits] == [(text, "bad_request")]


async def test_every_update_is_audited() -> None:
    """The audit has the change as JSON, its number and its outcome, and what came about of it."""
    harness, _ = await ready("a.onnx")
    await harness.register("m", "a.onnx", "1")
    await harness.update("m", '{"promote": {"version": 1}}')
    with pytest.raises(NotFound):
        await harness.update("m", '{"promote": {"version": "9"}}')
    assert [(audit.sequence, json.loads(audit.update), audit.outcome) for audit in harness.out.audits] == [
        (1, {"register": {"version": "1", "uri": "a.onnx", "runtime": "onnx"}}, "applied"),
        (1, {"became": {"1": "ready"}}, "ok"),
        (2, {"register": {"version": "1", "uri": "a.onnx", "runtime": "onnx"}}, "applied"),
        (3, {"promote": {"version": "1"}}, "applied"),
        (3, {"promote": {"version": "9"}}, "version_not_found"),
    ]


async def test_repr_tells_the_state() -> None:
    """A harness says who is in it and what waits."""
    harness, _ = await ready("a.onnx")
    assert repr(harness) == (
        "<Harness of <Mailroom scurry/router, scurry/registry, scurry/graph, scurry/inference: "
        "0 in the mail, 1 delayed>: 1 replies>"
    )
