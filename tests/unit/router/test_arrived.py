"""What arrived together leaves together, and what the ingress told of it changes nothing but the cost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.router.asking import NOW, Outcome, requests, route, routed, serve

from scurry.router import policy
from scurry.wire.messages_pb2 import Request, Requests

FAR = NOW + policy.WATCH_MS
DEADLINE = st.sampled_from([0, 0, NOW - 1, NOW, NOW + 1, NOW + 500, FAR - 1, FAR, FAR + 9])
PLAIN = st.fixed_dictionaries({"deadline": DEADLINE})
BULK = st.fixed_dictionaries({"deadline": DEADLINE, "bulk": st.just(True)})
ANY = st.fixed_dictionaries(
    {
        "deadline": DEADLINE,
        "version": st.sampled_from(["", "", "", "", "1", "2", "9"]),
        "priority": st.sampled_from([0] * 9 + [1]),
        "defect": st.sampled_from([""] * 9 + ["odd"]),
        "bulk": st.sampled_from([False] * 9 + [True]),
    }
)


def told(group: list[Request]) -> Requests:
    """A group with what the ingress says of it, by the sentences of the contract."""
    plain = all(not (each.version or each.priority or each.defect or each.bulk) for each in group)
    nearest = min((each.deadline for each in group if each.deadline), default=0) if plain else 0
    return Requests(requests=group, plain=plain, first_deadline=nearest)


def seen(out: Outcome) -> Any:
    """All that came of a call, without what only tells of the group."""
    for _, _, value in out.sent:
        if isinstance(value, Requests):
            value.plain, value.first_deadline = False, 0
    return out.sent, out.delayed, out.replies, out.dead, out.state


GROUP = st.one_of(st.lists(kind, min_size=1, max_size=40) for kind in (PLAIN, BULK, ANY))


@given(st.lists(GROUP, min_size=1, max_size=3), st.booleans())
async def test_what_the_ingress_tells_changes_nothing(drawn: list[list[dict[str, Any]]], two: bool) -> None:
    """With and without its word the same requests go the same way, are watched, or are refused."""
    groups = [
        [Request(id=f"{number}-{at}", model="m", entry=f"s/{number}-{at}", **fields) for at, fields in enumerate(each)]
        for number, each in enumerate(drawn)
    ]
    versions = [route("1", 1), *([route("2", 1)] if two else [])]
    state = await routed(*versions)
    untold = await serve(state, *(Requests(requests=group) for group in groups))
    assert seen(await serve(state, *map(told, groups))) == seen(untold)
    bulk = {request.id for group in groups for request in group if request.bulk}
    for _, key, value in [sent for sent in untold.sent if isinstance(sent[2], Requests)]:
        assert {request.id in bulk for request in value.requests} <= {int(key.rpartition("/")[2]) >= 16}


async def test_one_group_of_which_nothing_is_told_is_looked_at() -> None:
    """A word on one group is no word on the others."""
    quick = requests("late", deadline=NOW - 1)
    plain = Requests(requests=requests("a", deadline=FAR).requests, plain=True, first_deadline=FAR)
    out = await serve(await routed(route("1")), plain, quick)
    assert out.errors == {"late": "deadline_exceeded"}
    assert [ids for _, ids, _, _ in out.lanes] == [["a"]]
