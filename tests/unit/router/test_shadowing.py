"""Copies of answered requests, to the version that is the model's shadow."""

from __future__ import annotations

from tests.unit.router.asking import Outcome, many, requests, route, routed, serve

from scurry.router.policy import is_copied
from scurry.wire.messages_pb2 import Bounced, Copies, Expected, RouterState, Shadow
from scurry.wire.names import INFERENCE


async def shadowed(percent: float = 100, **fields: object) -> bytes:
    """A router with version 1 for callers and 2 as its shadow."""
    shadow = Shadow(version="2", percent=percent)
    return await routed(route("1"), route("2", 0, **fields), shadow=shadow)


def copies(count: int, **fields: object) -> Copies:
    """Copies as a worker sends them."""
    return Copies(requests=many(count, **fields).requests, expected=[Expected()] * count, version="2")


def to_lanes(out: Outcome) -> list[tuple[str, int, str, int]]:
    """(address, requests, shadow, expected) of what went to workers."""
    return [
        (key, len(value.requests), value.shadow, len(value.expected)) for to, key, value in out.sent if to == INFERENCE
    ]


def dropped(out: Outcome) -> int:
    """Copies that were dropped and not told yet."""
    return sum(each.untold.shadow.dropped for each in RouterState.FromString(out.state or b"").versions)


async def test_a_share_is_marked_to_be_copied():
    """Each request goes to its lane once, marked or not, the same ones when they are read again."""
    out = await serve(await shadowed(50), many(40))
    again = await serve(await shadowed(50), many(40))
    marked = [value for to, _, value in out.sent if to == INFERENCE and value.shadow]
    assert sorted(r.id for _, _, value in out.sent for r in value.requests) == sorted(f"r{n}" for n in range(40))
    assert {value.shadow for value in marked} == {"2"}
    assert 5 < sum(len(value.requests) for value in marked) < 35
    assert out.sent == again.sent
    assert to_lanes(await serve(await shadowed(), many(3))) == [("m@1/0", 3, "2", 0)]


async def test_what_is_asked_of_the_shadow_itself_is_not_copied():
    """It would be compared with itself."""
    assert to_lanes(await serve(await shadowed(), requests("a", version="2"))) == [("m@2/0", 1, "", 0)]


async def test_copies_go_to_the_shadows_lanes_and_count_for_nobody():
    """They take room there, and are no requests of callers."""
    out = await serve(await shadowed(), copies(3))
    assert to_lanes(out) == [("m@2/0", 3, "", 3)]
    (_, version2) = RouterState.FromString(out.state or b"").versions
    assert (list(version2.sent), version2.requests) == ([3, 0], 0)


async def test_copies_take_half_the_room_and_the_rest_is_dropped():
    """A full shadow costs nobody a refusal; what was parked for dropped ones is let go of."""
    out = await serve(await shadowed(max_queue_size=8), copies(6, payload="scurry:payload:x:in:body"))
    assert [each[1] for each in to_lanes(out)] == [4]
    assert (dropped(out), out.replies) == (2, [])
    assert [(each.id, list(each.keys)) for each in out.released] == [
        ("r4", ["scurry:payload:x:in:body"]),
        ("r5", ["scurry:payload:x:in:body"]),
    ]


async def test_a_shadow_that_is_none_any_more_gets_nothing():
    """Neither one that was switched off nor one that is gone."""
    for state in (await routed(route("1"), route("2", 0)), await routed(route("1"))):
        out = await serve(state, copies(2))
        assert (to_lanes(out), out.replies, out.delayed) == ([], [], [])


async def test_copies_whose_worker_is_lost_are_not_tried_again():
    """The next ones compute apart, for these may have ended it."""
    out = await serve(await shadowed(), copies(2))
    ((_, address, message),) = [each for each in out.sent if each[0] == INFERENCE]
    lost = Bounced(
        message=message.SerializeToString(), typename="scurry.v1/Requests", address=address, executing=True, alone=True
    )
    back = await serve(out.state, lost)
    assert (to_lanes(back), back.replies, back.delayed, dropped(back)) == ([], [], [], 2)
    ((_, _, following),) = [each for each in (await serve(back.state, copies(1))).sent if each[0] == INFERENCE]
    assert following.solo


def test_shares_are_as_large_as_they_are_called():
    """And what a shadow gets says nothing of the split, nor of another shadow."""
    names = [f"scurry:requests/1700000000000-{number}" for number in range(20_000)]
    copied = {name for name in names if is_copied("2", 10, name)}
    assert 0.09 < len(copied) / len(names) < 0.11
    assert copied <= {name for name in names if is_copied("2", 20, name)}
    both = copied & {name for name in names if is_copied("3", 10, name)}
    assert 0.005 < len(both) / len(names) < 0.015
    assert all(is_copied("2", 100, name) for name in names)
