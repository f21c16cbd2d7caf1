"""New routes, and versions on their way out."""

from __future__ import annotations

import pytest
from tests.unit.router.asking import given_up, many, requests, route, routed, sent_by_router, serve

from scurry.endpoint.call import Message
from scurry.wire.messages_pb2 import Bounced, Done, Drained, ModelSpec, Replies, Reply, Request, Requests, Routes
from scurry.wire.names import REGISTRY


async def test_a_switch_is_atomic() -> None:
    """Requests before the new routes go the old way, those behind them the new way."""
    state = await routed(route("1"))
    announce = Replies(replies=[Reply(id="u", record="{}")])
    new = Routes(epoch=6, versions=[route("1", draining=True), route("2")], announce=announce)
    out = await serve(state, requests("a", version="1"), new, requests("b"), requests("c", version="1"))
    assert [(key, ids) for key, ids, _, _ in out.lanes if ids] == [("m@1/0", ["a"]), ("m@2/0", ["b"])]
    assert out.errors == {"u": ""}
    assert (await given_up(out)).errors == {"c": "version_not_found"}
    assert out.sent[1][2].report, "the drained lane is asked to report"


async def test_draining_begins_with_a_flush_and_ends_with_drained() -> None:
    """Only lanes that owe a report are asked; the registry hears once all have reported."""
    state = (await serve(await routed(route("1"), route("2")), requests("a", version="1"))).state
    leave = Routes(epoch=6, versions=[route("1", draining=True), route("2")])
    out = await serve(state, leave)
    assert out.lanes == [("m@1/0", [], 1, True)]
    ((delay, key, limit),) = out.delayed
    assert (delay, key, limit.version, limit.generation, limit.expired) == (60_000, "m", "1", 3, True)
    out = await serve(out.state, Done(version="1", lane=0, sequence=1))
    (_, _, counted), (to, key, drained) = out.sent
    assert (to, key) == (REGISTRY, "m")
    assert [(one.version, one.statistics.primary.requests) for one in counted.versions] == [("1", 1)]
    assert (drained.version, drained.generation, drained.expired) == ("1", 3, False)
    out = await serve(out.state, sent_by_router(limit))
    assert out.sent == []


async def test_an_idle_version_drains_at_once() -> None:
    """No flush, no limit."""
    out = await serve(await routed(route("1")), Routes(epoch=6, versions=[route("1", draining=True)]))
    assert [(to, value.version) for to, _, value in out.sent] == [(REGISTRY, "1")]
    assert out.delayed == []


async def test_a_version_that_drains_already_is_not_flushed_again() -> None:
    """Further routes neither ask twice nor set a second limit."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    state = (await serve(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state
    out = await serve(state, Routes(epoch=7, versions=[route("1", draining=True), route("2")]))
    assert (out.sent, out.delayed) == ([], [])


@pytest.mark.parametrize(("generation", "told"), [(3, True), (2, False)])
async def test_the_drain_limit_is_of_one_registration(generation: int, told: bool) -> None:
    """A limit set for an earlier life of the version does not end the present one."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    state = (await serve(state, Routes(epoch=6, versions=[route("1", draining=True)]))).state
    out = await serve(state, sent_by_router(Drained(version="1", generation=generation, expired=True)))
    assert [value.expired for _, _, value in out.sent if isinstance(value, Drained)] == ([True] if told else [])


async def test_a_model_that_is_gone_keeps_no_state() -> None:
    """Empty routes delete everything and still announce."""
    out = await serve(await routed(route("1")), Routes(epoch=9, announce=Replies(replies=[Reply(id="u")])))
    assert out.kept
    assert out.state is None
    assert out.errors == {"u": ""}


async def test_a_user_function_drains_by_its_replies() -> None:
    """No flush is sent to a function that does not know it."""
    state = await routed(route("1", function="example/upper"))
    state = (await serve(state, requests("a"))).state or b""
    out = await serve(state, Routes(epoch=6, versions=[route("1", function="example/upper", draining=True)]))
    assert out.sent == []
    answer = Message("scurry.v1/Reply", Reply(id="a").SerializeToString(), ("example/upper", "m@1/0"))
    out = await serve(out.state, answer)
    assert [(to, value.version) for to, _, value in out.sent if isinstance(value, Drained)] == [(REGISTRY, "1")]


NEWER = ModelSpec(uri="/n.onnx", generation=4, max_batch_size=32, identity="new")


async def test_what_was_replaced_is_unloaded_when_its_requests_are_finished() -> None:
    """Requests behind the switch do not count, those before it do; the registry hears once."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    out = await serve(state, Routes(epoch=6, versions=[route("1", spec=NEWER)]))
    assert out.lanes == [("m@1/0", [], 1, True)], "who owes a report is asked"
    ((delay, _, limit),) = out.delayed
    assert (delay, limit.version, limit.generation, limit.expired) == (60_000, "1", 3, True)
    out = await serve(out.state, many(5), Done(version="1", lane=0, sequence=1))
    assert [value.spec for _, _, value in out.sent if isinstance(value, Requests)] == [NEWER]
    drained = [(to, value.generation, value.expired) for to, _, value in out.sent if isinstance(value, Drained)]
    assert drained == [(REGISTRY, 3, False)]
    out = await serve(out.state, Done(version="1", lane=0, sequence=6), sent_by_router(limit))
    assert out.sent == []


async def test_an_idle_version_is_replaced_at_once() -> None:
    """Nothing is on its way to what was there."""
    out = await serve(await routed(route("1")), Routes(epoch=6, versions=[route("1", spec=NEWER)]))
    assert [(to, value.generation, value.expired) for to, _, value in out.sent] == [(REGISTRY, 3, False)]
    assert out.delayed == []


async def test_a_replaced_spec_is_not_waited_for_for_ever() -> None:
    """The limit of draining is its limit too."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    out = await serve(state, Routes(epoch=6, versions=[route("1", spec=NEWER)]))
    limit = sent_by_router(out.delayed[0][2])
    out = await serve(out.state, limit)
    assert [(value.generation, value.expired) for _, _, value in out.sent] == [(3, True)]
    assert (await serve(out.state, limit)).sent == []


async def test_what_is_away_keeps_what_was_replaced() -> None:
    """It may run alone, by the spec it was sent with."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    lost = Requests(requests=[Request(id="a")], sequence=1, version="1").SerializeToString()
    out = await serve(state, Bounced(message=lost, typename="scurry.v1/Requests", address="m@1/0", executing=True))
    again = sent_by_router(out.delayed[0][2])
    out = await serve(out.state, again, Routes(epoch=6, versions=[route("1", spec=NEWER)]))
    assert [value for _, _, value in out.sent if isinstance(value, Drained)] == []
    out = await serve(out.state, Done(version="1", lane=-1, sequence=1))
    assert [value.generation for _, _, value in out.sent] == [3]


async def test_routes_that_say_the_same_replace_nothing() -> None:
    """Another share or alias is no other spec."""
    state = (await serve(await routed(route("1")), requests("a"))).state
    out = await serve(state, Routes(epoch=6, versions=[route("1", 5)], aliases={"a": "1"}))
    assert (out.sent, out.delayed) == ([], [])
