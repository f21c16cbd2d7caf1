"""Requests that the router answers with an error, and counts."""

from __future__ import annotations

import pytest
from tests.unit.router.asking import Outcome, decode, many, requests, route, routed, sent_by_router, serve

from scurry.endpoint.call import Call, Message
from scurry.router.function import Router
from scurry.router.policy import Bounds
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import Bounced, Counts, ModelSpec, Requests, RouterState, VersionRoute
from scurry.wire.names import INFERENCE, ROUTER


def counts(state: bytes | None) -> Counts:
    """What is not told of version 1, its requests among it."""
    (kept,) = RouterState.FromString(state or b"").versions
    out = Counts(requests=kept.requests)
    out.MergeFrom(kept.untold.primary)
    return out


async def nowhere(made: VersionRoute, messages: Requests) -> tuple[bytes | None, dict[str, str]]:
    """State and errors of a router whose job has an endpoint for our own workers only."""
    mail = [Message("scurry.v1/Requests", messages.SerializeToString())]
    call = Call(ROUTER, "m", mail, await routed(made))
    await Router(lambda: 1_000_000, Bounds(functions=())).serve([call], lambda _: None)
    result = call.response.invocation_result
    replies = [decode(each.argument.typename, each.argument.value) for each in result.outgoing_egresses]
    return result.state_mutations[0].state_value.value, {one.id: one.error for each in replies for one in each.replies}


async def test_a_step_that_names_no_sequence_is_one_of_its_version() -> None:
    """As a request that its worker refuses would be: requests are answers and errors."""
    nameless = many(2)
    for each in nameless.requests:
        each.body = InferRequest().SerializeToString()
    out = await serve(await routed(route("1", sequences=True)), nameless)
    assert out.errors == {"r0": "bad_request", "r1": "bad_request"}
    kept = counts(out.state)
    assert (kept.requests, dict(kept.errors)) == (2, {"bad_request": 2})


@pytest.mark.parametrize(
    "made", [route("1", function="my/own"), route("1", spec=ModelSpec(uri="/m.onnx", generation=3, pool="gpu"))]
)
async def test_what_nobody_serves_is_counted(made: VersionRoute) -> None:
    """A rollout's guards see that the version answers nobody."""
    state, errors = await nowhere(made, many(3))
    assert set(errors.values()) == {"unavailable"}
    kept = counts(state)
    assert (kept.requests, dict(kept.errors)) == (3, {"unavailable": 3})


async def test_a_step_of_a_graph_that_a_user_function_cannot_answer_is_counted() -> None:
    """Of the others, which it answers, only the request."""
    mixed = requests("a", "b")
    mixed.requests[0].run = "whole/1"
    out = await serve(await routed(route("1", function="my/own")), mixed)
    kept = counts(out.state)
    assert (kept.requests, dict(kept.errors)) == (2, {"bad_request": 1})


async def test_what_came_back_is_counted_once() -> None:
    """It is a request of its version already when it is found that nobody serves it any more."""
    out = await serve(await routed(route("1", function="my/own")), requests("a", run="whole/1", version="1"))
    assert counts(out.state).requests == 1
    again = Requests(requests=requests("b", run="whole/1").requests, version="1")
    back = await serve(out.state, sent_by_router(again))
    kept = counts(back.state)
    assert (kept.requests, dict(kept.errors)) == (1, {"bad_request": 2})


async def test_what_the_router_fails_on_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """New requests for the model, those that come back for the version that they were sent to."""
    out = await serve(await routed(route("1")), many(1))
    lost = Requests(requests=many(1).requests, version="1", sequence=1)
    came = Bounced(message=lost.SerializeToString(), typename="scurry.v1/Requests", address="m@1/0", cause="Lost.")

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("scurry.router.routing_pass.must_wait", fail)
    monkeypatch.setattr("scurry.router.recovery.bounce", fail)
    failed: Outcome = await serve(out.state, requests("new"), came)
    assert failed.errors == {"new": "internal", "r0": "internal"}
    assert [key for to, key, _ in failed.sent if to == INFERENCE] == []
    assert dict(counts(failed.state).errors) == {"internal": 1}
    assert dict(RouterState.FromString(failed.state or b"").unrouted) == {"internal": 1}
