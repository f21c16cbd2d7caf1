"""Which deadlines are watched."""

from __future__ import annotations

from tests.unit.router.asking import NOW, Outcome, requests, route, routed, serve

from scurry.wire.messages_pb2 import Done, Expire, Request, Requests

SOON = NOW + 3_000


def watched(out: Outcome) -> list[tuple[int, Expire]]:
    """(delay, what is watched) of a pass."""
    return [(delay, value) for delay, _, value in out.delayed if isinstance(value, Expire)]


async def test_a_lane_that_has_not_answered_is_watched() -> None:
    """With what answering needs and nothing else; it is asked to report."""
    kept = {"reply": "back", "keep": 7, "encoding": 1, "bulk": True, "digest": b"d", "payload": "p", "deadline": SOON}
    asked = [Request(id=i, entry=f"s/{i}-0", model="m", **kept) for i in ("a", "b")]
    out = await serve(await routed(route("1")), Requests(requests=asked))
    ((delay, value),) = watched(out)
    assert delay == 3_250
    assert (value.version, value.lane, value.sequence) == ("1", 0, 2)
    assert [Request.FromString(each.SerializeToString()) for each in value.requests] == asked
    assert [report for *_, report in out.lanes] == [True]


async def test_bodies_are_not_kept() -> None:
    """However large the requests are."""
    large = Requests(requests=[Request(id="a", deadline=SOON, body=b"x" * 8_000, traceparent="t", tenant="t", key="k")])
    ((_, value),) = watched(await serve(await routed(route("1")), large))
    assert value.ByteSize() < 60


async def test_requests_without_a_deadline_pay_nothing() -> None:
    """No message, no report."""
    out = await serve(await routed(route("1")), requests("a", "b"))
    assert (out.delayed, [report for *_, report in out.lanes]) == ([], [False])


async def test_a_lane_that_has_just_answered_is_trusted() -> None:
    """For a tenth of a second; another lane of the version is not."""
    out = await serve(await routed(route("1")), requests("a", deadline=SOON))
    state = (await serve(out.state, Done(version="1", lane=0, sequence=1), now=NOW)).state
    assert watched(await serve(state, requests("b", deadline=SOON), now=NOW + 99)) == []
    assert len(watched(await serve(state, requests("b", deadline=SOON), now=NOW + 100))) == 1
    full = (await serve(state, Requests(requests=[Request(id=str(n)) for n in range(32)]), now=NOW)).state
    out = await serve(full, requests("b", deadline=SOON), now=NOW + 99)
    assert [(value.lane, delay) for delay, value in watched(out)] == [(1, 3_151)]


async def test_user_functions_have_a_deadline_in_any_case() -> None:
    """A reply that never comes must not keep a place for ever."""
    out = await serve(await routed(route("1", function="example/upper")), requests("a"))
    ((delay, value),) = watched(out)
    assert (delay, value.requests[0].deadline) == (300_250, NOW + 300_000)
