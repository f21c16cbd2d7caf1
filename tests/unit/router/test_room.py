"""How many requests a version may hold."""

from __future__ import annotations

from tests.unit.router.asking import Outcome, many, requests, route, routed, serve

from scurry.router.lanes import Lanes
from scurry.router.room import Room
from scurry.wire.messages_pb2 import Done, LaneCounters, ModelSpec, RouterState, VersionRoute
from scurry.wire.names import INFERENCE


def test_a_report_makes_it_smaller_or_larger() -> None:
    """By the time that requests take; the lanes' own cap stays."""
    counters = LaneCounters()
    room = Room(VersionRoute(), counters, 32)
    assert (room.bound, room.cap) == (2048, 128)
    room.measure(1_000_000, 1)
    assert (room.bound, counters.service_micros) == (20, 1_000_000)
    assert room.keep_to(5_000) == 10
    assert Room(VersionRoute(), counters, 32).bound == 20, "it is kept with the counters"
    assert repr(room) == "<Room for 10, 128 to a lane>"


def test_what_the_options_say_goes_before() -> None:
    """Also when it is more than lanes hold otherwise."""
    room = Room(VersionRoute(max_queue_size=5), LaneCounters(service_micros=1), 32)
    assert (room.bound, room.keep_to(1)) == (5, 5)
    assert Room(VersionRoute(max_queue_size=16_000), LaneCounters(), 32).cap == 1_000


def outstanding(out: Outcome) -> int:
    """Requests that the router takes for outstanding."""
    (counters,) = RouterState.FromString(out.state or b"").versions
    return sum(counters.sent) - sum(counters.done)


async def test_a_slow_version_holds_what_it_can_finish_in_time() -> None:
    """The surplus is refused, other versions are not touched."""
    first = await serve(await routed(route("1")), requests("a"))
    slow = Done(version="1", lane=0, sequence=1, busy_micros=2_000_000, requests=1)
    out = await serve((await serve(first.state, slow)).state, many(100))
    assert outstanding(out) == 10
    assert list(out.errors.values()) == ["overloaded"] * 90
    (counters,) = RouterState.FromString(out.state or b"").versions
    assert (counters.requests, counters.refused) == (11, 90)


async def test_a_version_that_answers_is_never_taken_for_full() -> None:
    """With the smallest queue and one request at a time, each gets through: reports come in time."""
    state = await routed(route("1", max_queue_size=1))
    for number in range(50):
        out = await serve(state, requests(f"r{number}"))
        assert out.errors == {}
        ((_, _, value),) = [sent for sent in out.sent if sent[0] == INFERENCE]
        lane = int(out.lanes[0][0].rpartition("/")[2])
        state = out.state
        if value.report:
            state = (await serve(state, Done(version="1", lane=lane, sequence=value.sequence))).state


async def test_bulk_waits_however_slow_the_version_is() -> None:
    """It is never refused."""
    out = await serve(await routed(route("1", max_queue_size=2)), many(5, bulk=True))
    assert (out.errors, outstanding(out)) == ({}, 5)


async def test_what_runs_alone_tells_nothing_of_the_lanes() -> None:
    """It waits for a child process, thousands of others with it when a worker was lost: models looked slow by that."""
    alone = Done(version="1", lane=-1, sequence=1, busy_micros=3_700_000, requests=1)
    state = (await serve(await routed(route("1")), alone, requests("a"))).state
    assert RouterState.FromString(state or b"").versions[0].service_micros == 0


def test_what_slow_requests_wait_for_is_kept_small() -> None:
    """Once a report has said how long they take: the emptier lane gets them, and each is reported."""
    room = Room(VersionRoute(), LaneCounters(), 32)
    assert (room.spread([5, 0], 1), room.report_every) == ([(0, 1)], 8)
    room.measure(400_000, 10)
    assert (room.spread([5, 0], 1), room.spread([0, 5], 1), room.report_every) == ([(1, 1)], [(0, 1)], 1)


def test_thin_traffic_of_a_model_that_is_not_stacked_stays_on_one_lane() -> None:
    """Its worker alone has it: what is done is reported before it looks like too much to wait for."""
    spec = ModelSpec(max_batch_size=1)
    for micros in (0, 120, 300, 600, 900, 2_000):
        counters = LaneCounters(sent=[0, 0], done=[0, 0], asked=[0, 0], service_micros=micros)
        lanes = Lanes(VersionRoute(version="1", spec=spec), counters)
        for _ in range(40):
            ((lane, size),) = lanes.spread(0, lanes.outstanding_at(0), 1)
            assert (lane, size) == (0, 1), micros
            sequence, asked = lanes.send(lane, size)
            if asked:
                lanes.finish(lane, sequence)
