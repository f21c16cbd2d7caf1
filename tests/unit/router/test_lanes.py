"""One version's lanes."""

from __future__ import annotations

from tests.unit.router.asking import many, routed, serve
from tests.unit.router.asking import route as route_of
from tests.unit.router.test_routes import route, table

from scurry.router.owing import unasked
from scurry.wire.messages_pb2 import Done, RouterState, Routes


def test_send_counts_and_asks_for_a_report_now_and_then() -> None:
    """Sequences grow per lane; the eighth request asks, the next seven do not."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    assert [lanes.send(0, 1)[1] for _ in range(9)] == [False] * 7 + [True, False]
    assert lanes.send(0, 3) == (12, False)
    assert lanes.send(1, 8) == (8, True)
    assert lanes.outstanding == [12, 8]
    assert lanes.emptiest() == 1


def test_a_report_covers_all_before_it() -> None:
    """Reports may come late, twice or for lanes that are not there."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    lanes.send(0, 10)
    for lane, sequence in ((0, 8), (0, 5), (0, 8), (0, 11), (7, 1)):
        lanes.finish(lane, sequence)
    assert lanes.outstanding == [2, 0]
    assert not lanes.idle
    lanes.finish(0, 10)
    assert lanes.idle


def test_extra_lanes_come_and_go() -> None:
    """They are counted from the first use and forgotten, last first, when they are idle."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    lanes.send(3, 4)
    assert lanes.outstanding == [0, 0, 0, 4]
    lanes.finish(3, 4)
    assert lanes.outstanding == [0, 0]


async def test_an_extra_lane_counts_on_from_what_may_still_be_reported() -> None:
    """A version went with requests on lane 2; one of its name has that lane again, and one call answers for both."""
    went = (await serve(await routed(route_of("1")), many(270))).state
    last = RouterState.FromString(went or b"").versions[0].sent[2]
    back = (await serve(went, Routes(epoch=9), Routes(epoch=10, versions=[route_of("1")]))).state
    out = await serve(back, many(270))
    sent = RouterState.FromString(out.state or b"").versions[0].sent[2]
    assert sent > last
    done = (await serve(out.state, Done(version="1", lane=2, sequence=last))).state
    assert RouterState.FromString(done or b"").versions[0].done[2] < sent
    done = (await serve(done, Done(version="1", lane=2, sequence=sent))).state
    assert len(RouterState.FromString(done or b"").versions[0].sent) == 2


def test_unasked_lanes_are_asked_once() -> None:
    """A flush goes to the lanes that owe a report, and not twice."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    lanes.send(0, 3)
    lanes.send(1, 8)
    assert unasked(lanes.counters) == [(0, 3)]
    assert unasked(lanes.counters) == []


def test_a_draining_version_reports_everything() -> None:
    """What is sent to it after a bounce is reported at once."""
    lanes = table(route("1", draining=True)).lanes("1")
    assert lanes is not None
    assert lanes.send(0, 1) == (1, True)
