"""Deadlines that passed while nobody answered."""

from __future__ import annotations

from tests.unit.router.asking import NOW, Outcome, requests, route, routed, sent_by_router, serve

from scurry.endpoint.call import Message
from scurry.wire.messages_pb2 import Bounced, Done, Expire, Expiry, Reply, Request, Requests, RouterState, Routes

SOON = NOW + 3_000


async def sent(*groups: Requests) -> tuple[Outcome, list[Message]]:
    """What a pass said, and the watches it set."""
    out = await serve(await routed(route("1")), *groups)
    return out, [sent_by_router(value) for _, _, value in out.delayed if isinstance(value, Expire)]


async def test_what_nobody_answered_is_answered() -> None:
    """Within a quarter of a second, with all that a reply needs; the lane still owes it."""
    out, (watch,) = await sent(requests("a", reply="back", keep=7, encoding=1, digest=b"d", payload="p", deadline=SOON))
    assert out.delayed[0][0] <= SOON - NOW + 250
    late = await serve(out.state, watch, now=SOON + 250)
    (reply,) = late.replies
    assert (reply.id, reply.entry, reply.reply, reply.keep, reply.encoding) == ("a", "s/a-0", "back", 7, 1)
    assert (reply.error, reply.model, reply.digest, list(reply.consumed)) == ("deadline_exceeded", "m", b"d", ["p"])
    (counters,) = RouterState.FromString(late.state or b"").versions
    assert (counters.sent[0], counters.done[0]) == (1, 0)


async def test_a_cluster_serving_client_hears_of_its_deadline_too() -> None:
    """Where it looks."""
    out, (watch,) = await sent(requests("a", stream="s", uri=b"u", encoding=10, deadline=SOON))
    (reply,) = (await serve(out.state, watch, now=SOON + 250)).replies
    assert (reply.error, reply.stream, reply.uri) == ("deadline_exceeded", "s", b"u")


def test_a_watch_keeps_all_that_a_reply_copies_from_its_request() -> None:
    """Under the same numbers; but for what only an answer has."""
    request, reply, kept = (
        {field.name: field.number for field in kind.DESCRIPTOR.fields} for kind in (Request, Reply, Expiry)
    )
    copied = request.keys() & reply.keys() - {"version", "body"}
    assert {name: request[name] for name in copied} == {name: kept.get(name) for name in copied}


async def test_what_was_answered_is_left_alone() -> None:
    """The lane has reported it."""
    out, (watch,) = await sent(requests("a", deadline=SOON))
    state = (await serve(out.state, Done(version="1", lane=0, sequence=1))).state
    late = await serve(state, watch, now=SOON + 250)
    assert (late.replies, late.delayed, late.kept) == ([], [], False)


async def test_those_with_more_time_are_watched_on() -> None:
    """Each keeps its place on the lane."""
    mixed = Requests()
    for name, deadline in (("a", SOON), ("b", SOON + 9_000), ("c", 0), ("d", SOON + 5_000), ("e", SOON + 1)):
        mixed.requests.add(id=name, deadline=deadline)
    out, (watch,) = await sent(mixed)
    late = await serve(out.state, watch, now=SOON + 250)
    assert set(late.errors) == {"a", "e"}
    ((delay, _, rest),) = late.delayed
    assert delay == 5_000
    assert [(each.id, each.sequence) for each in rest.requests] == [("b", 2), ("d", 4)]
    state = (await serve(late.state, Done(version="1", lane=0, sequence=3))).state
    later = await serve(state, sent_by_router(rest), now=SOON + 5_000)
    assert set(later.errors) == {"d"}


async def test_what_came_back_and_runs_alone_is_watched_too() -> None:
    """Nobody knows whether it was answered: should it have been, the first answer stands."""
    out, (watch,) = await sent(requests("a", deadline=SOON))
    lost = Requests(requests=[Request(id="a", entry="s/a-0", deadline=SOON)], sequence=1).SerializeToString()
    bounced = Bounced(message=lost, typename="scurry.v1/Requests", address="m@1/0", executing=True)
    back = await serve(out.state, bounced)
    assert (await serve(back.state, watch, now=SOON + 250)).errors == {}, "the lane has nothing of it any more"
    again = await serve(back.state, sent_by_router(back.delayed[0][2]))
    ((delay, _, alone),) = again.delayed
    assert (delay, alone.lane) == (3_250, -1)
    assert (await serve(again.state, sent_by_router(alone), now=SOON + 250)).errors == {"a": "deadline_exceeded"}


async def test_pauses_end_with_the_deadline() -> None:
    """What comes back from workers that are gone is not kept waiting beyond it."""
    state = await routed(route("1"))
    lost = Requests(requests=[Request(id="a", deadline=NOW + 900, attempt=9)], sequence=0).SerializeToString()
    bounced = Bounced(message=lost, typename="scurry.v1/Requests", address="m@1/0", executing=False)
    out = await serve(state, bounced)
    ((delay, _, again),) = out.delayed
    assert delay == 900
    assert (await serve(out.state, sent_by_router(again), now=NOW + 900)).errors == {"a": "deadline_exceeded"}


async def test_a_version_that_is_gone_cannot_answer_any_more() -> None:
    """Its overdue requests are answered."""
    out, (watch,) = await sent(requests("a", deadline=SOON))
    state = (await serve(out.state, Routes(epoch=6, versions=[route("2")]))).state
    assert (await serve(state, watch, now=SOON + 250)).errors == {"a": "deadline_exceeded"}


async def test_a_user_function_that_never_replies_keeps_no_place() -> None:
    """Its request is answered, its slot is free; a reply that comes all the same frees no other's."""
    state = await routed(route("1", function="example/upper"))
    out = await serve(state, requests("a", "b"))
    ((_, _, watch),) = out.delayed
    late = await serve(out.state, sent_by_router(watch), now=NOW + 300_250)
    assert late.errors == {"a": "deadline_exceeded", "b": "deadline_exceeded"}
    (counters,) = RouterState.FromString(late.state or b"").versions
    assert list(counters.done) == list(counters.sent) == [2, 0]
    answer = Message("scurry.v1/Reply", Reply(id="a").SerializeToString(), ("example/upper", "m@1/0"))
    (counters,) = RouterState.FromString((await serve(late.state, answer)).state or b"").versions
    assert list(counters.done) == [2, 0]
