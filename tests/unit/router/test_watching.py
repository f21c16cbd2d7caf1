"""Which deadlines are watched."""

from __future__ import annotations

from tests.unit.router.asking import NOW, Outcome, requests, route, routed, serve

from scurry.wire.messages_pb2 import Done, Expire, Request, Requests

SOON = NOW + 3_000


def watched(out: Outcome) -> list[tuple[int, Expire]]:
    """(delay, what is watched) of a pass."""
    return [(delay, value) for delay, _, value in out.delayed if isinstance(value, Expire)]


async def test_a_near_deadline_is_watched() -> None:
    """With what answering needs and nothing else; it is asked to report."""
    kept = {"reply": "back", "keep": 7, "encoding": 1, "bulk": True, "digest": b"d", "payload": "p", "deadline": SOON}
    asked = [Request(id=i, entry=f"s/{i}-0", model="m", **kept) for i in ("a", "b")]
    out = await serve(await routed(route("1")), Requests(requests=asked))
    ((delay, value),) = watched(out)
    assert delay == 3_250
    assert (value.version, value.lane) == ("1", 16)
    assert [each.sequence for each in value.requests] == [1, 2]
    for each in value.requests:
        each.ClearField("sequence")
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


async def test_a_lane_that_has_just_answered_is_watched_too() -> None:
    """Its worker may die in the next moment; what was sent between a report and that was told 6 s late."""
    out = await serve(await routed(route("1")), requests("a", deadline=SOON))
    state = (await serve(out.state, Done(version="1", lane=0, sequence=1), now=NOW)).state
    assert len(watched(await serve(state, requests("b", deadline=SOON), now=NOW + 1))) == 1


async def test_only_near_deadlines_of_a_pile_are_watched() -> None:
    """The others by their place; one further away gets near when its worker is found silent."""
    pile = Requests(requests=[Request(id=str(n), deadline=n * 10_000 and NOW + n * 10_000) for n in range(4)])
    ((delay, value),) = watched(await serve(await routed(route("1")), requests("x"), pile))
    assert delay == 10_250
    assert [(each.id, each.sequence) for each in value.requests] == [("1", 3), ("2", 4)]


async def test_user_functions_have_a_deadline_in_any_case() -> None:
    """A reply that never comes must not keep a place for ever."""
    out = await serve(await routed(route("1", function="example/upper")), requests("a"))
    ((delay, value),) = watched(out)
    assert (delay, value.requests[0].deadline) == (300_250, NOW + 300_000)
