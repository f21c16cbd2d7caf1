"""Versions that are held by the workers of another pool."""

from __future__ import annotations

import pytest
from tests.unit.router.asking import NOW, SPEC, many, requests, route, routed, sent_by_router, serve

from scurry.endpoint.call import Call, Message
from scurry.router.function import Router
from scurry.router.policy import Bounds
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import Bounced, Copies, ModelSpec, Replies, Requests, VersionRoute
from scurry.wire.names import INFERENCE, ROUTER

GPU = "scurry/inference.gpu"


def pooled(version: str = "1", **fields: object) -> VersionRoute:
    """A route to a version in the pool `gpu`."""
    spec = ModelSpec()
    spec.CopyFrom(SPEC)
    spec.pool = "gpu"
    return route(version, spec=spec, **fields)


async def answer(state: bytes, message: Message, functions: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Where messages go, and the codes of what is refused, in a job with these functions."""
    call = Call(ROUTER, "m", [message], state)
    await Router(lambda: NOW, Bounds(functions=functions)).serve([call], lambda _: None)
    result = call.response.invocation_result
    out = [one.argument for one in result.outgoing_egresses if one.argument.typename.endswith("/Replies")]
    codes = [reply.error for one in out for reply in Replies.FromString(one.value).replies]
    return [f"{one.target.namespace}/{one.target.type}" for one in result.outgoing_messages], codes


def arrived(*ids: str) -> Message:
    """Requests as the ingress sends them."""
    return Message("scurry.v1/Requests", requests(*ids).SerializeToString())


async def test_requests_go_to_the_pool_of_their_version() -> None:
    """Each version's to its own."""
    out = await serve(await routed(pooled(), route("2", 0)), requests("a"), requests("b", version="2"))
    assert {to: [r.id for r in value.requests] for to, _, value in out.sent} == {GPU: ["a"], INFERENCE: ["b"]}


async def test_what_came_back_goes_there_again() -> None:
    """Together and alone."""
    out = await serve(await routed(pooled()), requests("a", "b"))
    ((_, address, value),) = out.sent
    for executing in (False, True):
        bounced = Bounced(message=value.SerializeToString(), typename="scurry.v1/Requests", address=address)
        bounced.executing = executing
        back = await serve(out.state, bounced)
        again = await serve(back.state, *(sent_by_router(one) for _, _, one in back.delayed))
        assert {to for to, _, _ in again.sent} == {GPU}
        assert sorted(r.id for _, _, one in again.sent for r in one.requests) == ["a", "b"]


async def test_steps_and_copies_go_there_too() -> None:
    """A sequence has its address in the pool; a shadow may be in another one than what it is compared with."""
    body = InferRequest()
    body.parameters["sequence_id"].int_value = 7
    body.parameters["sequence_start"].bool_value = True
    asked = requests("a")
    asked.requests[0].body = body.SerializeToString()
    out = await serve(await routed(pooled(sequences=True)), asked)
    assert [(to, key) for to, key, _ in out.sent] == [(GPU, "m@1/seq/7")]
    shadowed = await routed(route("1"), pooled("2", weight=0), shadow={"version": "2", "percent": 100})
    out = await serve(shadowed, Copies(requests=requests("c").requests, version="2", expected=[{}]))
    assert [to for to, _, _ in out.sent] == [GPU]


async def test_reports_are_asked_for_there() -> None:
    """Also when there is no room."""
    out = await serve(await routed(pooled(max_queue_size=4)), many(9))
    assert {to for to, _, _ in out.sent} == {GPU}
    assert "overloaded" in out.errors.values()


@pytest.mark.parametrize("solo", [False, True])
async def test_without_an_endpoint_nothing_is_sent(solo: bool) -> None:
    """New requests and those on their way back are told why; nothing goes where nobody would ever answer."""
    state = await routed(pooled())
    assert await answer(state, arrived("a", "b"), ()) == ([], ["unavailable"] * 2)
    assert await answer(state, arrived("a", "b"), (GPU,)) == ([GPU], [])
    again = sent_by_router(Requests(requests=requests("c").requests, version="1", solo=solo))
    assert await answer(state, again, ()) == ([], ["unavailable"])
    assert await answer(state, again, (GPU,)) == ([GPU], [])
    shadowed = await routed(route("1"), pooled("2", weight=0), shadow={"version": "2", "percent": 100})
    copies = Copies(requests=requests("c").requests, version="2", expected=[{}])
    assert await answer(shadowed, Message("scurry.v1/Copies", copies.SerializeToString()), ()) == ([], [])
