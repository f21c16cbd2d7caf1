"""The function scurry/router, one call at a time."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import pytest
from google.protobuf.message import Message as Proto

from scurry.endpoint.call import DELETE, Call, Message
from scurry.router import policy
from scurry.router.function import STATE, Router
from scurry.wire import messages_pb2 as pb
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import (
    Bounced,
    DeadLetter,
    Done,
    Drained,
    ModelSpec,
    Replies,
    Reply,
    Request,
    Requests,
    RouterState,
    Routes,
    VersionRoute,
)
from scurry.wire.names import INFERENCE, REGISTRY, ROUTER

NOW = 1_000_000
SPEC = ModelSpec(uri="/m.onnx", runtime="onnx", generation=3, max_batch_size=32)
FROM_ROUTER = (ROUTER, "m")


@dataclass
class Turn:
    """What one call said, decoded."""

    sent: list[tuple[str, str, Any]]
    delayed: list[tuple[int, str, Any]]
    replies: list[Reply]
    dead: list[DeadLetter]
    state: bytes | None
    kept: bool

    @property
    def lanes(self) -> list[tuple[str, list[str], int, bool]]:
        """(address, ids, sequence, report) of what went to inference."""
        return [
            (key, [r.id for r in value.requests], value.sequence, value.report)
            for to, key, value in self.sent
            if to == INFERENCE
        ]

    @property
    def errors(self) -> dict[str, str]:
        """Error code by id."""
        return {reply.id: reply.error for reply in self.replies}


def decode(typename: str, value: bytes) -> Any:
    """The message of a typed value."""
    return getattr(pb, typename.removeprefix("scurry.v1/")).FromString(value)


async def turn(state: bytes | None, *messages: Proto | Message, key: str = "m", now: int = NOW) -> Turn:
    """Let the router answer one call."""
    mail = [
        m if isinstance(m, Message) else Message(f"scurry.v1/{type(m).__name__}", m.SerializeToString())
        for m in messages
    ]
    finished: list[Call] = []
    await Router(lambda: now).serve([Call(ROUTER, key, mail, state)], finished.append)
    result = finished[0].response.invocation_result
    egress = [decode(out.argument.typename, out.argument.value) for out in result.outgoing_egresses]
    batches = [value for value in egress if isinstance(value, Replies)]
    assert len(batches) <= 1, "replies of one call leave in one message"
    for mutation in result.state_mutations:
        assert mutation.state_name == STATE.name
        state = None if mutation.mutation_type == DELETE else mutation.state_value.value
    return Turn(
        [
            (f"{o.target.namespace}/{o.target.type}", o.target.id, decode(o.argument.typename, o.argument.value))
            for o in result.outgoing_messages
        ],
        [
            (d.delay_in_ms, d.target.id, decode(d.argument.typename, d.argument.value))
            for d in result.delayed_invocations
        ],
        [reply for batch in batches for reply in batch.replies],
        [value for value in egress if isinstance(value, DeadLetter)],
        state,
        bool(result.state_mutations),
    )


def requests(*ids: str, **fields: Any) -> Requests:
    """Requests with these ids."""
    return Requests(
        requests=[Request(id=i, model="m", entry=f"s/{i}-0", body=b"b" + i.encode(), **fields) for i in ids]
    )


def many(count: int, **fields: Any) -> Requests:
    """So many requests."""
    return requests(*(f"r{number}" for number in range(count)), **fields)


def route(version: str, weight: int = 1, **fields: Any) -> VersionRoute:
    """A route to version `version`."""
    return VersionRoute(version=version, weight=weight, spec=fields.pop("spec", SPEC), **fields)


async def routed(*versions: VersionRoute, **fields: Any) -> bytes:
    """State of a router with these routes in force."""
    made = await turn(None, Routes(epoch=5, versions=versions, **fields))
    assert made.state is not None
    return made.state


def sent_by_router(value: Proto) -> Message:
    """A message of the router to itself."""
    return Message(f"scurry.v1/{type(value).__name__}", value.SerializeToString(), FROM_ROUTER)


async def test_requests_are_forwarded_as_they_came() -> None:
    """All fields travel, with what the worker needs behind them; the state counts them."""
    asked = requests("a", "b", key="k", reply="back", keep=0, traceparent="t")
    out = await turn(await routed(route("1")), asked)
    ((to, key, value),) = out.sent
    assert (to, key) == (INFERENCE, "m@1/0")
    assert value.requests == asked.requests
    assert (value.spec, value.version, value.epoch, value.sequence, value.report) == (SPEC, "1", 5, 2, False)
    assert out.replies == []
    state = RouterState.FromString(out.state or b"")
    assert (list(state.versions[0].sent), state.versions[0].requests) == ([2, 0], 2)


async def test_unknown_fields_of_a_newer_ingress_survive() -> None:
    """The very bytes are forwarded, so what this router does not know is not lost."""
    newer = b"\x9a\x06\x03new"  # field 99
    body = requests("a").requests[0].SerializeToString() + newer
    raw = b"\x0a" + bytes([len(body)]) + body
    made = Call(ROUTER, "m", [Message("scurry.v1/Requests", raw)], await routed(route("1")))
    await Router().serve([made], lambda _: None)
    (out,) = made.response.invocation_result.outgoing_messages
    assert newer in out.argument.value


async def test_messages_of_one_call_become_one_message() -> None:
    """What piled up leaves together, and reports that came with it count first."""
    state = (await turn(await routed(route("1")), many(32))).state
    out = await turn(state, requests("a"), Done(version="1", lane=0, sequence=32), requests("b"))
    assert out.lanes == [("m@1/0", ["a", "b"], 34, False)]


async def test_a_pile_larger_than_a_model_call_is_divided() -> None:
    """Both lanes get a share, in order, and both report."""
    out = await turn(await routed(route("1")), many(100))
    assert [(key, len(ids), sequence, report) for key, ids, sequence, report in out.lanes] == [
        ("m@1/0", 50, 50, True),
        ("m@1/1", 50, 50, True),
    ]
    assert [i for _, ids, _, _ in out.lanes for i in ids] == [f"r{n}" for n in range(100)]


async def test_beyond_all_lanes_requests_are_refused() -> None:
    """Sixteen lanes of 128 take 2,048; the rest is told that it may try again."""
    out = await turn(await routed(route("1")), many(2_100))
    assert sum(len(ids) for _, ids, _, _ in out.lanes) == 16 * 128
    assert len({key for key, *_ in out.lanes}) == 16
    assert set(out.errors.values()) == {"overloaded"}
    assert len(out.replies) == 2_100 - 2_048
    state = RouterState.FromString(out.state or b"")
    assert (state.versions[0].requests, state.versions[0].refused) == (2_048, 52)
    assert len(out.state or b"") < 400


async def test_lanes_shrink_again() -> None:
    """When the extra lanes are idle the state forgets them."""
    out = await turn(await routed(route("1")), many(2_048))
    last = {key: sequence for key, _, sequence, _ in out.lanes}
    reports = [Done(version="1", lane=int(key.rpartition("/")[2]), sequence=seq) for key, seq in last.items()]
    state = RouterState.FromString((await turn(out.state, *reports)).state or b"")
    assert list(state.versions[0].sent) == list(state.versions[0].done)
    assert len(state.versions[0].sent) == 2


async def test_bulk_requests_are_never_refused() -> None:
    """They wait in the mail of a lane."""
    full = (await turn(await routed(route("1")), many(2_048))).state
    out = await turn(full, requests("b1", "b2", bulk=True), requests("x"))
    assert [ids for _, ids, _, _ in out.lanes] == [["b1", "b2"]]
    assert out.errors == {"x": "overloaded"}


async def test_versions_by_name_alias_and_weight() -> None:
    """Each request goes where it says; those that say nothing are shared by hash."""
    state = await routed(route("1", 1), route("2", 1), route("3", 0), aliases={"stable": "3"})
    mixed = Requests()
    for version, count in (("1", 2), ("stable", 2), ("", 40)):
        for number in range(count):
            mixed.requests.add(id=f"{version}-{number}", version=version)
    out = await turn(state, mixed)
    ways = {key.partition("/")[0]: ids for key, ids, _, _ in out.lanes}
    assert set(ways) == {"m@1", "m@2", "m@3"}
    assert ways["m@3"] == ["stable-0", "stable-1"]
    assert {"1-0", "1-1"} <= set(ways["m@1"])
    for number in range(40):
        version = policy.pick([("1", 1), ("2", 1)], f"-{number}")
        assert f"-{number}" in ways[f"m@{version}"]


async def test_a_sticky_key_beats_the_id() -> None:
    """All requests of one key go to one version."""
    out = await turn(await routed(route("1", 1), route("2", 1)), many(30, key="user-7"))
    assert len(out.lanes) == 1


@pytest.mark.parametrize(
    ("routes", "version", "code"),
    [
        (None, "", "model_not_found"),
        (None, "1", "model_not_found"),
        (Routes(epoch=1, pending=["1"]), "", "model_not_ready"),
        (Routes(epoch=1, pending=["1"]), "1", "model_not_ready"),
        (Routes(epoch=1, pending=["1"]), "2", "version_not_found"),
        (Routes(epoch=1, versions=[route("1")]), "2", "version_not_found"),
        (Routes(epoch=1, versions=[route("1"), route("2", draining=True)]), "2", "version_not_found"),
        (Routes(epoch=1, versions=[route("1", draining=True)]), "", "model_not_ready"),
    ],
)
async def test_what_cannot_be_routed_is_answered(routes: Routes | None, version: str, code: str) -> None:
    """Each gets a stable code and a sentence, and whoever asks first leaves no state behind."""
    state = (await turn(None, routes)).state if routes else None
    out = await turn(state, requests("a", version=version, reply="back", keep=7, bulk=True, encoding=1))
    (reply,) = out.replies
    assert (reply.error, reply.id, reply.entry, reply.reply, reply.model) == (code, "a", "s/a-0", "back", "m")
    assert (reply.keep, reply.bulk, reply.encoding) == (7, True, 1)
    assert reply.message.endswith(".")
    assert out.lanes == []
    assert out.dead == []
    assert not out.kept


async def test_a_deadline_that_has_passed() -> None:
    """It is answered instead of computed; others of the same message go on."""
    mixed = Requests()
    for name, deadline in (("late", NOW), ("none", 0), ("early", NOW + 1)):
        mixed.requests.add(id=name, deadline=deadline)
    out = await turn(await routed(route("1")), mixed)
    assert out.errors == {"late": "deadline_exceeded"}
    assert [ids for _, ids, _, _ in out.lanes] == [["none", "early"]]


async def test_parked_inputs_of_a_refused_request_are_given_up() -> None:
    """Nobody will read them any more, so the egress may delete them."""
    body = InferRequest(inputs=[Tensor(name="x", payload="p:1"), Tensor(name="y", data=b"")]).SerializeToString()
    asked = Requests(
        requests=[Request(id="a", body=body), Request(id="b", payload="p:2"), Request(id="c", body=b"\xff")]
    )
    out = await turn(None, asked)
    assert [list(reply.consumed) for reply in out.replies] == [["p:1"], ["p:2"], []]


async def test_a_defect_becomes_bad_request_and_a_dead_letter() -> None:
    """The reply needs somebody to hear it; the letter has the raw fields."""
    defects = Requests()
    defects.requests.add(id="1-0", defect="No model.", fields={"a": b"\xff"})
    defects.requests.add(defect="No id either.", fields={"b": b""})
    out = await turn(None, defects, key="!")
    assert [(reply.id, reply.error, reply.message, reply.model) for reply in out.replies] == [
        ("1-0", "bad_request", "No model.", "")
    ]
    assert [(dict(letter.fields), letter.cause) for letter in out.dead] == [
        ({"a": b"\xff"}, "bad_request: No model."),
        ({"b": b""}, "bad_request: No id either."),
    ]
    assert not out.kept


async def test_a_switch_is_atomic() -> None:
    """Requests before the new routes go the old way, those behind them the new way."""
    state = await routed(route("1"))
    announce = Replies(replies=[Reply(id="u", record="{}")])
    new = Routes(epoch=6, versions=[route("1", draining=True), route("2")], announce=announce)
    out = await turn(state, requests("a", version="1"), new, requests("b"), requests("c", version="1"))
    assert [(key, ids) for key, ids, _, _ in out.lanes if ids] == [("m@1/0", ["a"]), ("m@2/0", ["b"])]
    assert out.errors == {"u": "", "c": "version_not_found"}
    assert out.sent[1][2].report, "the drained lane is asked to report"


async def test_draining_begins_with_a_flush_and_ends_with_drained() -> None:
    """Only lanes that owe a report are asked; the registry hears once all have reported."""
    state = (await turn(await routed(route("1"), route("2")), requests("a", version="1"))).state
    leave = Routes(epoch=6, versions=[route("1", draining=True), route("2")])
    out = await turn(state, leave)
    assert out.lanes == [("m@1/0", [], 1, True)]
    ((delay, key, limit),) = out.delayed
    assert (delay, key, limit.version, limit.generation, limit.expired) == (60_000, "m", "1", 3, True)
    out = await turn(out.state, Done(version="1", lane=0, sequence=1))
    ((to, key, drained),) = out.sent
    assert (to, key) == (REGISTRY, "m")
    assert (drained.version, drained.generation, drained.expired) == ("1", 3, False)
    out = await turn(out.state, sent_by_router(limit))
    assert out.sent == []


async def test_an_idle_version_drains_at_once() -> None:
    """No flush, no limit."""
    out = await turn(await routed(route("1")), Routes(epoch=6, versions=[route("1", draining=True)]))
    assert [(to, value.version) for to, _, value in out.sent] == [(REGISTRY, "1")]
    assert out.delayed == []


async def test_a_version_that_drains_already_is_not_flushed_again() -> None:
    """Further routes neither ask twice nor set a second limit."""
    state = (await turn(await routed(route("1")), requests("a"))).state
    state = (await turn(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state
    out = await turn(state, Routes(epoch=7, versions=[route("1", draining=True), route("2")]))
    assert (out.sent, out.delayed) == ([], [])


@pytest.mark.parametrize(("generation", "told"), [(3, True), (2, False)])
async def test_the_drain_limit_is_of_one_registration(generation: int, told: bool) -> None:
    """A limit set for an earlier life of the version does not end the present one."""
    state = (await turn(await routed(route("1")), requests("a"))).state
    state = (await turn(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state
    out = await turn(state, sent_by_router(Drained(version="1", generation=generation, expired=True)))
    assert [value.expired for _, _, value in out.sent] == ([True] if told else [])


async def test_a_model_that_is_gone_keeps_no_state() -> None:
    """Empty routes delete everything and still announce."""
    out = await turn(await routed(route("1")), Routes(epoch=9, announce=Replies(replies=[Reply(id="u")])))
    assert out.kept
    assert out.state is None
    assert out.errors == {"u": ""}


def lost(value: Requests, address: str = "m@1/0", *, executing: bool = True, alone: bool = False) -> Bounced:
    """A batch that came back."""
    return Bounced(
        message=value.SerializeToString(), typename="scurry.v1/Requests", address=address, cause="Worker w is gone.",
        executing=executing, alone=alone,
    )  # fmt: skip


async def forwarded(count: int) -> tuple[bytes, Requests]:
    """State and message after `count` requests went to lane 0."""
    out = await turn(await routed(route("1")), many(count))
    assert out.state is not None
    return out.state, out.sent[0][2]


async def test_suspects_are_sent_again_one_by_one() -> None:
    """Each alone, after a pause, at the version chosen first; the lane counts them as finished."""
    state, value = await forwarded(3)
    out = await turn(state, lost(value))
    assert [([r.id for r in again.requests], again.solo) for _, _, again in out.delayed] == [
        (["r0"], True), (["r1"], True), (["r2"], True),
    ]  # fmt: skip
    assert len({delay for delay, _, _ in out.delayed}) == 3, "they are kept apart"
    assert all(100 <= delay < 260 for delay, _, _ in out.delayed)
    assert all((r.attempt, r.blame) == (1, 0) for _, _, again in out.delayed for r in again.requests)
    assert list(RouterState.FromString(out.state or b"").versions[0].done) == [3, 0]
    gone = (await turn(out.state, Routes(epoch=6, versions=[route("2")]))).state
    again = await turn(gone, *(sent_by_router(value) for _, _, value in out.delayed))
    assert [(key, [r.id for r in v.requests], v.solo, v.version, v.spec) for _, key, v in again.sent] == [
        ("m@1/solo/r0-0", ["r0"], True, "1", SPEC),
        ("m@1/solo/r1-0", ["r1"], True, "1", SPEC),
        ("m@1/solo/r2-0", ["r2"], True, "1", SPEC),
    ]


async def test_what_was_not_executing_is_sent_again_together() -> None:
    """Nobody is to blame: one message, on a lane, no try charged."""
    state, value = await forwarded(3)
    out = await turn(state, lost(value, executing=False))
    ((delay, _, again),) = out.delayed
    assert (delay, len(again.requests), again.solo) == (100, 3, False)
    out = await turn(out.state, sent_by_router(again))
    assert out.lanes == [("m@1/0", ["r0", "r1", "r2"], 6, False)]
    assert {(r.attempt, r.blame) for r in out.sent[0][2].requests} == {(1, 0)}


async def test_a_draining_version_still_answers_what_bounced() -> None:
    """The choice stands: no request is dropped by a switch."""
    state, value = await forwarded(2)
    state = (await turn(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state or b""
    out = await turn(state, lost(value, executing=False))
    out = await turn(out.state, sent_by_router(out.delayed[0][2]))
    assert out.lanes == [("m@1/0", ["r0", "r1"], 4, True)]


async def test_only_what_ran_alone_is_charged_with_a_try() -> None:
    """Three losses alone, and the request is answered and buried as it came."""
    state, _ = await forwarded(1)
    request = Request(id="a", model="m", entry="s/9-0", body=b"x", version="latest")
    for attempt in (1, 2):
        again = Requests(requests=[request], spec=SPEC, version="1", solo=True)
        out = await turn(state, lost(again, "m@1/solo/9-0", alone=True))
        ((delay, _, value),) = out.delayed
        request = value.requests[0]
        assert (request.attempt, request.blame) == (attempt, 2 * attempt)
        assert 0 <= delay - 100 * 2 ** (attempt - 1) < 160
    out = await turn(state, lost(Requests(requests=[request], spec=SPEC, solo=True), "m@1/solo/9-0", alone=True))
    assert out.delayed == []
    (reply,) = out.replies
    assert (reply.error, reply.version) == ("worker_lost", "1")
    assert "ran apart from others" in reply.message
    assert "Worker w is gone." in reply.message
    (letter,) = out.dead
    assert letter.request == Request(id="a", model="m", entry="s/9-0", body=b"x", version="latest")
    assert letter.attempts == 3
    assert not reply.consumed, "a dead letter may be sent again: its parked inputs stay"


@pytest.mark.parametrize("alone", [True, False])
async def test_a_request_on_a_lane_is_not_charged(alone: bool) -> None:
    """Other messages may have been in its call: it runs apart next time, and only that counts."""
    state, value = await forwarded(1)
    out = await turn(state, lost(value, alone=alone))
    ((_, _, again),) = out.delayed
    assert (again.solo, again.requests[0].attempt, again.requests[0].blame) == (True, 1, 0)


async def test_bouncing_has_an_end_even_if_nothing_ran() -> None:
    """Twenty times without a worker, then worker_lost."""
    request = Request(id="a", attempt=19)
    out = await turn(await routed(route("1")), lost(Requests(requests=[request], sequence=0), executing=False))
    assert out.errors == {"a": "worker_lost"}


async def test_deadlines_hold_for_what_bounced() -> None:
    """Before the pause and after it."""
    state = await routed(route("1"))
    late = Request(id="late", deadline=NOW)
    soon = Request(id="soon", deadline=NOW + 50)
    out = await turn(state, lost(Requests(requests=[late, soon])))
    assert out.errors == {"late": "deadline_exceeded"}
    out = await turn(out.state, sent_by_router(out.delayed[0][2]), now=NOW + 100)
    assert out.errors == {"soon": "deadline_exceeded"}
    assert out.sent == []


async def test_a_bounced_flush_counts_as_its_report() -> None:
    """A worker that is lost with an empty batch does not keep a version draining."""
    state = (await turn(await routed(route("1")), requests("a"))).state
    out = await turn(state, Routes(epoch=6, versions=[route("1", draining=True)]))
    flush = out.sent[0][2]
    out = await turn(out.state, lost(flush, executing=False))
    assert [(to, value.version) for to, _, value in out.sent] == [(REGISTRY, "1")]
    assert out.delayed == []


async def test_guests_get_single_requests_and_their_replies_count() -> None:
    """One message per request with the version; the reply's lane is told by who sent it."""
    state = await routed(route("1", function="example/upper", spec=ModelSpec(generation=1)))
    out = await turn(state, requests("a", "b", reply="back"))
    assert [(to, key, value.id, value.version) for to, key, value in out.sent] == [
        ("example/upper", "m@1/0", "a", "1"),
        ("example/upper", "m@1/0", "b", "1"),
    ]
    answers = [
        Message("scurry.v1/Reply", Reply(id=i, model="liar").SerializeToString(), ("example/upper", "m@1/0"))
        for i in ("a", "b", "b")
    ]
    out = await turn(out.state, *answers)
    assert [(reply.id, reply.model, reply.version) for reply in out.replies] == [("a", "m", "1")] + [
        ("b", "m", "1")
    ] * 2
    (counters,) = RouterState.FromString(out.state or b"").versions
    assert (list(counters.sent), list(counters.done)) == ([2, 0], [2, 0])


async def test_a_guest_drains_by_its_replies() -> None:
    """No flush is sent to a function that does not know it."""
    state = await routed(route("1", function="example/upper"))
    state = (await turn(state, requests("a"))).state or b""
    out = await turn(state, Routes(epoch=6, versions=[route("1", function="example/upper", draining=True)]))
    assert out.sent == []
    answer = Message("scurry.v1/Reply", Reply(id="a").SerializeToString(), ("example/upper", "m@1/0"))
    out = await turn(out.state, answer)
    assert [(to, value.version) for to, _, value in out.sent] == [(REGISTRY, "1")]


async def test_a_guests_reply_from_elsewhere_is_passed_on() -> None:
    """A guest may let another function answer; a reply that names no request is dropped."""
    state = await routed(route("1", function="example/upper"))
    elsewhere = Message("scurry.v1/Reply", Reply(id="a", version="1").SerializeToString(), ("example/b", "k"))
    nameless = Message("scurry.v1/Reply", b"")
    out = await turn(state, elsewhere, nameless)
    assert [(reply.id, reply.version) for reply in out.replies] == [("a", "1")]


async def test_what_cannot_be_read_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """It would never get readable: it is logged, and the rest of the batch is served."""
    state = await routed(route("1"))
    broken = [Message(f"scurry.v1/{name}", b"\xff") for name in ("Requests", "Done", "Bounced", "Routes", "Reply")]
    with caplog.at_level(logging.WARNING):
        out = await turn(state, *broken[1:], Message("other/Thing", b""), requests("a"))
        assert [ids for _, ids, _, _ in out.lanes] == [["a"]]
        out = await turn(state, broken[0])
        assert out.sent == []
    assert len(caplog.records) == 6


async def test_reports_of_versions_that_are_gone_change_nothing() -> None:
    """Late mail leaves the state alone."""
    out = await turn(await routed(route("1")), Done(version="9", lane=0, sequence=1))
    assert not out.kept


async def test_one_broken_call_does_not_fail_the_others() -> None:
    """A state that cannot be read fails its own call only."""
    good, bad = Call(ROUTER, "a", [], None), Call(ROUTER, "b", [], b"\xff")
    finished: list[Call] = []
    with pytest.raises(Exception, match="parsing"):
        await Router().serve([bad, good], finished.append)
    assert finished == [good]
    with pytest.raises(ExceptionGroup):
        await Router().serve([bad, bad], finished.append)
    assert repr(Router()) == "<Router <Tables of 0 models>>"
