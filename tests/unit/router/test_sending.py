"""What goes to a lane."""

from __future__ import annotations

from tests.unit.router.asking import SPEC, requests, route, routed, serve

from scurry.endpoint.call import Call, Message
from scurry.router.function import Router
from scurry.wire.messages_pb2 import ModelSpec, Reply, RouterState
from scurry.wire.names import INFERENCE, ROUTER


async def test_requests_are_forwarded_as_they_came() -> None:
    """All fields travel, with what the worker needs behind them; the state counts them."""
    asked = requests("a", "b", key="k", reply="back", keep=0, traceparent="t")
    out = await serve(await routed(route("1")), asked)
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


async def test_user_functions_get_single_requests_and_their_replies_count() -> None:
    """One message per request with the version; the reply's lane is told by who sent it."""
    state = await routed(route("1", function="example/upper", spec=ModelSpec(generation=1)))
    out = await serve(state, requests("a", "b", reply="back"))
    assert [(to, key, value.id, value.version) for to, key, value in out.sent] == [
        ("example/upper", "m@1/0", "a", "1"),
        ("example/upper", "m@1/0", "b", "1"),
    ]
    answers = [
        Message("scurry.v1/Reply", Reply(id=i, model="liar").SerializeToString(), ("example/upper", "m@1/0"))
        for i in ("a", "b", "b")
    ]
    out = await serve(out.state, *answers)
    assert [(reply.id, reply.model, reply.version) for reply in out.replies] == [("a", "m", "1")] + [
        ("b", "m", "1")
    ] * 2
    (counters,) = RouterState.FromString(out.state or b"").versions
    assert (list(counters.sent), list(counters.done)) == ([2, 0], [2, 0])
