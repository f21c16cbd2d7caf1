"""The function scurry/registry: what it makes of its mail."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass, field
from typing import Any

import pytest
from google.protobuf.message import Message as Proto

from scurry.endpoint.call import Call, Message
from scurry.registry.changes import identity_of
from scurry.registry.function import Registry
from scurry.wire import messages_pb2 as pb
from scurry.wire.messages_pb2 import (
    Bounced,
    Load,
    Loaded,
    LoadFailed,
    ModelSpec,
    Record,
    Register,
    RoutesWanted,
    Unload,
    Update,
    VersionRecord,
)
from scurry.wire.names import INFERENCE, REGISTRY, ROUTER


@dataclass
class Outcome:
    """What one call said, decoded."""

    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    delayed: list[tuple[int, str, str, Any]] = field(default_factory=list)
    egress: list[Any] = field(default_factory=list)
    state: bytes | None = None
    kept: bool = False

    def of(self, kind: type) -> list[Any]:
        """Everything sent or written of one kind."""
        return [v for v in [*(v for _, _, v in self.sent), *self.egress] if isinstance(v, kind)]


async def serve(state: bytes | None, *messages: Proto | Message, key: str = "m") -> Outcome:
    """Let the registry answer one call."""
    mail = [
        m if isinstance(m, Message) else Message(f"scurry.v1/{type(m).__name__}", m.SerializeToString())
        for m in messages
    ]
    call = Call(REGISTRY, key, mail, state)
    await Registry(lambda: 77).serve([call], lambda _: None)
    result = call.response.invocation_result

    def decode(argument: Any) -> Any:
        return getattr(pb, argument.typename.removeprefix("scurry.v1/")).FromString(argument.value)

    out = Outcome(state=state)
    for m in result.outgoing_messages:
        out.sent.append((f"{m.target.namespace}/{m.target.type}", m.target.id, decode(m.argument)))
    for d in result.delayed_invocations:
        out.delayed.append((d.delay_in_ms, f"{d.target.namespace}/{d.target.type}", d.target.id, decode(d.argument)))
    out.egress = [decode(e.argument) for e in result.outgoing_egresses]
    for mutation in result.state_mutations:
        out.state, out.kept = mutation.state_value.value, True
    return out


def register(token: str = "u", **fields: str) -> Update:
    """A registration from a client."""
    return Update(model="m", id=token, reply="back", keep=5, register=Register(uri="a.onnx", **fields))


def identity(generation: int = 1, token: str = "u", uri: str = "a.onnx", config: str = "") -> str:
    """What the registry calls such a registration of version 1."""
    spec = ModelSpec(uri=uri, runtime="onnx", config=config, generation=generation)
    return identity_of(Update(model="m", id=token), VersionRecord(version="1", spec=spec))


def loaded(*lanes: int, generation: int = 1, **fields: str) -> list[Loaded]:
    """Answers of these lanes."""
    about = {"version": "1", "generation": generation, "identity": identity(generation, **fields)}
    return [Loaded(lane=lane, **about) for lane in lanes]


async def test_a_registration_is_asked_of_both_lanes() -> None:
    """Load to the lanes, a reminder to itself, Routes without a version, View, Audit; no reply yet."""
    out = await serve(None, register(config='{"max_batch_size": 4}'))
    loads = [(to, key, value) for to, key, value in out.sent if isinstance(value, Load)]
    assert [(to, key, value.lane) for to, key, value in loads] == [
        (INFERENCE, "m@1/load/0", 0),
        (INFERENCE, "m@1/load/1", 1),
    ]
    spec = loads[0][2].spec
    assert spec.identity == identity(config='{"max_batch_size":4}')
    assert (spec.uri, spec.runtime, spec.generation, spec.max_batch_size) == ("a.onnx", "onnx", 1, 4)
    ((delay, to, key, remind),) = out.delayed
    assert (delay, to, key, remind.version, remind.generation, remind.attempt) == (1_000, REGISTRY, "m", "1", 1, 1)
    (routes,) = out.of(pb.Routes)
    assert (list(routes.pending), len(routes.announce.replies)) == (["1"], 0)
    (view,) = out.of(pb.View)
    assert json.loads(view.record)["versions"][0]["state"] == "loading"
    (audit,) = out.of(pb.Audit)
    assert (audit.model, audit.sequence, audit.outcome) == ("m", 1, "applied")
    assert out.of(pb.Replies) == []
    assert Record.FromString(out.state or b"").changed == 77


async def test_ready_is_announced_through_the_router() -> None:
    """The registrar hears when the routes are in force: the reply travels inside them."""
    state = (await serve(None, register())).state
    out = await serve(state, *loaded(0, 1))
    ((to, key, routes),) = out.sent
    assert (to, key) == (ROUTER, "m")
    assert [(r.version, r.weight, r.spec.generation) for r in routes.versions] == [("1", 1, 1)]
    (reply,) = routes.announce.replies
    assert (reply.id, reply.reply, reply.keep, reply.model, reply.error) == ("u", "back", 5, "m", "")
    assert json.loads(reply.record)["routes"] == {"1": 1}
    assert out.of(pb.Replies) == []
    assert [view.model for view in out.of(pb.View)] == ["m"]


async def test_what_changes_no_route_is_answered_directly() -> None:
    """A registration that is there already, and every refusal."""
    state = (await serve(None, register(), *loaded(0, 1))).state
    out = await serve(
        state, register("u", version="1"), Update(model="m", id="x", json='{"promote": {"version": "9"}}')
    )
    assert [reply.id for replies in out.of(pb.Replies) for reply in replies.replies] == ["u", "x"]
    assert out.sent == []
    assert not out.kept
    assert out.of(pb.View) == []


async def test_a_failure_is_told_with_its_reason() -> None:
    """The router hears that nobody need wait for it any more; the reply travels inside."""
    state = (await serve(None, register())).state
    about = {"version": "1", "generation": 1, "identity": identity()}
    out = await serve(state, LoadFailed(**about, error="load_failed", message="Not an ONNX file."))
    (routes,) = out.of(pb.Routes)
    assert (list(routes.pending), list(routes.failed)) == ([], ["1"])
    (reply,) = routes.announce.replies
    assert (reply.error, reply.message, reply.record) == ("load_failed", "Not an ONNX file.", "")


async def test_a_router_that_asks_is_always_told() -> None:
    """Of a model that does not exist it hears that there is nothing; nothing is kept and nobody else is told."""
    wanted = RoutesWanted(model="m")
    out = await serve(None, wanted)
    assert [(to, key, value) for to, key, value in out.sent] == [(ROUTER, "m", pb.Routes(wanted=True))]
    assert (out.kept, out.egress) == (False, [])
    state = (await serve(None, register(), *loaded(0, 1))).state
    out = await serve(state, wanted)
    ((_, _, routes),) = out.sent
    assert [route.version for route in routes.versions] == ["1"]
    assert not routes.announce.replies


async def test_nobody_to_answer() -> None:
    """A message without id and reply stream gets no reply."""
    out = await serve(None, Update(model="m", json='{"rollback": {}}'))
    assert out.of(pb.Replies) == []
    assert [audit.outcome for audit in out.of(pb.Audit)] == ["model_not_found"]
    assert not out.kept


async def test_unload_goes_to_every_worker() -> None:
    """Of exactly what was replaced, once its requests are finished, and of exactly what is dropped."""
    state = (await serve(None, register(), *loaded(0, 1))).state
    changed = Update(model="m", id="w", register=Register(uri="b.onnx", version="1"))
    out = await serve(state, changed, *loaded(0, 1, generation=2, token="w", uri="b.onnx"))
    assert out.of(Unload) == []
    out = await serve(out.state, pb.Drained(version="1", generation=1))
    unloads = [(to, key, v.identity) for to, key, v in out.sent if isinstance(v, Unload)]
    assert unloads == [(INFERENCE, "m@1/load/all", identity())]
    gone = await serve(out.state, Update(model="m", id="x", json='{"unregister": {}}'), pb.Drained(version="1"))
    unloads = [(to, key, v.identity) for to, key, v in gone.sent if isinstance(v, Unload)]
    assert unloads == [(INFERENCE, "m@1/load/all", identity(2, token="w", uri="b.onnx"))]
    assert [view.record for view in gone.of(pb.View)] == [""]
    last = gone.of(pb.Routes)[-1]
    assert (len(last.versions), list(last.pending), last.announce.replies[0].id) == (0, [], "x")


@pytest.mark.parametrize(("executing", "losses"), [(True, 1), (False, 0)])
async def test_a_bounced_load(executing: bool, losses: int) -> None:
    """It counts if the worker had begun; the reminder asks again."""
    state = (await serve(None, register())).state
    spec = ModelSpec(generation=1, identity=identity())
    load = Load(model="m", version="1", spec=spec).SerializeToString()
    bounced = Bounced(message=load, typename="scurry.v1/Load", address="m@1/0", executing=executing)
    out = await serve(state, bounced)
    assert Record.FromString(out.state or b"").versions[0].losses == losses
    assert (out.sent, out.egress) == ([], [])
    again = await serve(out.state, pb.Remind(version="1", generation=1, attempt=1))
    assert [load.apart for load in again.of(Load)] == [executing] * 2, "then it is opened in a child first"


async def test_what_cannot_be_read_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged; the rest of the batch is served."""
    unload = Bounced(message=b"", typename="scurry.v1/Unload")
    with caplog.at_level(logging.WARNING):
        out = await serve(None, Message("scurry.v1/Update", b"\xff"), Message("a/b", b""), unload, register())
    assert len(out.of(Load)) == 2
    assert len(caplog.records) == 2


async def test_the_key_is_the_model() -> None:
    """Whatever the message says, the record is the key's."""
    update = register()
    update.model = "other"
    out = await serve(None, update)
    assert out.of(Load)[0].model == "m"
    assert repr(Registry()) == "<Registry>"


async def test_a_pin_is_sent_to_the_first_lanes_and_an_unpin_to_every_worker() -> None:
    """Nothing is unloaded by it."""
    out = await serve(None, register(version="1"))
    loads = [Loaded(version="1", lane=lane, generation=1, identity=identity()) for lane in (0, 1)]
    out = await serve(out.state, *loads, Update(model="m", json='{"pin": {"version": "1"}}'))
    assert [(load.lane, load.spec.pinned) for load in out.of(Load)] == [(0, True), (1, True)]
    out = await serve(out.state, Update(model="m", json='{"pin": {"version": "1", "pinned": false}}'))
    (sent,) = [(to, key, unload) for to, key, unload in out.sent if isinstance(unload, Unload)]
    assert sent[:2] == (INFERENCE, "m@1/load/all")
    assert (sent[2].unpin, sent[2].identity) == (True, identity())


async def test_the_audit_holds_what_is_declared_since_and_when() -> None:
    """A refusal has neither number nor record; what comes about by itself is told too."""
    out = await serve(None, register(version="1"))
    (audit,) = out.of(pb.Audit)
    assert (audit.outcome, audit.at, audit.number) == ("applied", 77, 1)
    assert json.loads(audit.record)["versions"][0]["state"] == "loading"
    loads = [Loaded(version="1", lane=lane, generation=1, identity=identity()) for lane in (0, 1)]
    out = await serve(out.state, *loads)
    (audit,) = out.of(pb.Audit)
    assert (json.loads(audit.update), audit.number) == ({"became": {"1": "ready"}}, 2)
    out = await serve(out.state, Update(model="m", json="{}"))
    (audit,) = out.of(pb.Audit)
    assert (audit.outcome, audit.number, audit.record) == ("bad_request", 0, "")
