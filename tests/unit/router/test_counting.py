"""What became of a model's requests, told to the registry now and then."""

from __future__ import annotations

from tests.unit.router.asking import NOW, Outcome, many, requests, route, routed, sent_by_router, serve

from scurry.endpoint.call import Call, Message
from scurry.router.counting import TELL_MS
from scurry.router.function import Router
from scurry.wire.messages_pb2 import Answered, Bounced, Counted, Done, Reply, Requests, RouterState, Routes, Tell
from scurry.wire.names import REGISTRY, ROUTER


def told(out: Outcome) -> list[Counted]:
    """What the registry hears of counts."""
    return [value for to, _, value in out.sent if to == REGISTRY and isinstance(value, Counted)]


def done(out: Outcome, **counts: object) -> Done:
    """The report of the lane that got the last requests."""
    sequence = out.sent[-1][2].sequence
    return Done(version="1", lane=0, sequence=sequence, answered=[Answered(**counts)])  # type: ignore[arg-type]


async def test_requests_are_told_once_their_lane_has_answered():
    """One Tell is on its way however many requests come; it asks the lane, whose answer brings the news at once."""
    first = await serve(await routed(route("1")), many(2))
    again = await serve(first.state, many(3))
    assert (first.tells, again.tells) == (1, 0)
    asked = await serve(again.state, sent_by_router(Tell()))
    assert told(asked) == []
    assert [(ids, report) for _, ids, _, report in asked.lanes] == [([], True)]
    news = await serve(asked.state, done(asked, ok=4, errors={"internal": 1}))
    ((one,),) = [each.versions for each in told(news)]
    assert (one.version, one.statistics.primary.requests, one.statistics.primary.ok) == ("1", 5, 4)
    quiet = await serve(news.state, sent_by_router(Tell()))
    assert (told(quiet), quiet.tells, news.tells) == ([], 0, 0)


async def test_a_lane_that_owes_nothing_is_not_asked():
    """What it reported by itself is told as it is."""
    out = await serve(await routed(route("1")), many(8))
    reported = await serve(out.state, done(out, ok=8))
    news = await serve(reported.state, sent_by_router(Tell()))
    assert not news.lanes
    assert [each.versions[0].statistics.primary.ok for each in told(news)] == [8]


async def test_refused_requests_are_counted_as_refused():
    """They are among the requests, and no errors."""
    out = await serve(await routed(route("1", max_queue_size=5)), many(7))
    news = await serve(out.state, done(out, ok=5), sent_by_router(Tell()))
    counts = told(news)[0].versions[0].statistics.primary
    assert (counts.requests, counts.ok, counts.refused, dict(counts.errors)) == (7, 5, 2, {})


async def test_what_finds_no_version_is_counted_for_the_model():
    """By the code of its answer; models that nobody registered leave nothing behind."""
    out = await serve(await routed(route("1")), requests("a", "b", priority=-1))
    news = await serve(out.state, sent_by_router(Tell()))
    assert [dict(each.unrouted) for each in told(news)] == [{"bad_request": 2}]
    unknown = await serve(None, requests("a", priority=-1))
    assert (unknown.kept, unknown.tells) == (False, 0)


async def test_new_routes_keep_what_is_not_told():
    """Neither counts nor the knowledge that a Tell is on its way are lost by a change of the routes."""
    out = await serve(await routed(route("1")), many(3), requests("a", priority=-1))
    state = RouterState.FromString(out.state or b"")
    state.routes.epoch += 1
    changed = await serve(out.state, state.routes)
    assert changed.tells == 0
    news = await serve(changed.state, done(out, ok=3), sent_by_router(Tell()))
    assert [(each.versions[0].statistics.primary.requests, dict(each.unrouted)) for each in told(news)] == [
        (3, {"bad_request": 1})
    ]


async def test_a_version_that_drains_is_told_before_that_it_has() -> None:
    """The registry keeps the counters of a version that is unloaded: with its lanes they would be gone."""
    out = await serve(await routed(route("1")), many(3))
    leaving = await serve(out.state, Routes(epoch=6, versions=[route("1", draining=True)]))
    idle = await serve(leaving.state, done(leaving, ok=3))
    assert [type(value).__name__ for to, _, value in idle.sent if to == REGISTRY] == ["Counted", "Drained"]
    counts = told(idle)[0].versions[0].statistics.primary
    assert (counts.requests, counts.ok) == (3, 3)
    gone = await serve(idle.state, Routes(epoch=7, unloaded=["1"]))
    assert told(gone) == []


async def test_a_version_that_breaks_is_told_when_its_route_goes() -> None:
    """It does not drain. What its lanes report after that is told as it comes."""
    out = await serve(await routed(route("1")), many(3))
    broken = await serve(out.state, Routes(epoch=6, failed=["1"]))
    assert told(broken)[0].versions[0].statistics.primary.requests == 3
    late = await serve(broken.state, done(out, ok=1, errors={"model_failed": 2}))
    counts = told(late)[0].versions[0].statistics.primary
    assert (counts.requests, counts.ok, dict(counts.errors)) == (0, 1, {"model_failed": 2})
    assert told(await serve(broken.state, Done(version="1", lane=0))) == []


async def test_a_user_function_is_counted_by_its_replies():
    """One for each slot it frees: a reply too many counts nothing."""
    out = await serve(await routed(route("1", function="my/own")), requests("a", "b"))
    lane = next(key for to, key, _ in out.sent if to == "my/own")
    reply = sent_by_router(Reply(id="a"))._replace(caller=("my/own", lane))
    failed = sent_by_router(Reply(id="b", error="internal"))._replace(caller=("my/own", lane))
    news = await serve(out.state, reply, failed, failed, sent_by_router(Tell()), now=NOW + TELL_MS)
    counts = told(news)[0].versions[0].statistics.primary
    assert (counts.requests, counts.ok, dict(counts.errors)) == (2, 1, {"internal": 1})


async def test_no_second_tell_is_on_its_way():
    """Of a version that is rolled out, while a lane owes its report after a loss."""
    watched = route("1")
    watched.tell_every = 1000
    out = await serve(await routed(watched), many(2))
    lost = Requests(requests=many(2).requests, version="1", sequence=2)
    bounced = Bounced(message=lost.SerializeToString(), typename="scurry.v1/Requests", address="m@1/0", cause="Lost.")
    out, tells = await serve(out.state, bounced), out.tells
    for _ in range(5):
        tells += out.tells
        out = await serve(out.state, many(1))
    assert tells + out.tells == 1


async def test_many_models_tell_seldom():
    """A functions process that serves a thousand models hears of fewer than a hundred a second."""
    router = Router(lambda: NOW)
    routes = Routes(epoch=1, versions=[route("1")])
    pauses = []
    for number in range(1_000):
        mail = [Message(f"scurry.v1/{type(m).__name__}", m.SerializeToString()) for m in (routes, many(1))]
        call = Call(ROUTER, f"m{number}", mail)
        await router.serve([call], lambda _: None)
        pauses += [each.delay_in_ms for each in call.response.invocation_result.delayed_invocations]
    assert (pauses[0], len(pauses)) == (TELL_MS, 1_000)
    assert 1_000 / (pauses[-1] / 1_000) < 100
