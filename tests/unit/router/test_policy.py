"""Which version, which lane, when to report, when to give up."""

from __future__ import annotations

import math
import random

import pytest

from scurry.router import policy
from scurry.wire.names import LANES, MOST_LANES


@pytest.mark.parametrize(("size", "cap"), [(1, 64), (16, 64), (17, 68), (32, 128), (64, 256)])
def test_a_lane_takes_four_model_calls_and_at_least_64(size: int, cap: int) -> None:
    """The cap follows the batch size."""
    assert policy.lane_cap(size) == cap


@pytest.mark.parametrize(
    ("outstanding", "count", "parts"),
    [
        ([0, 0], 1, [(0, 1)]),
        ([1, 0], 1, [(0, 1)]),
        ([16, 0], 1, [(0, 1)]),
        ([17, 0], 1, [(1, 1)]),
        ([17, 17], 1, [(0, 1)]),
        ([5, 5], 32, [(0, 32)]),
        ([0, 0], 33, [(0, 32), (1, 1)]),
        ([0, 0], 100, [(0, 50), (1, 50)]),
        ([0, 100], 64, [(0, 32), (0, 32)]),
        ([100, 128], 32, [(0, 28), (2, 4)]),
        ([128, 128], 10, [(2, 10)]),
        ([128, 128, 128], 10, [(3, 10)]),
        ([128, 128, 5], 10, [(2, 10)]),
        ([128] * 16, 10, []),
        ([128] * 15 + [120], 10, [(15, 8)]),
        ([200, 200], 10, [(2, 10)]),
    ],
)
def test_spread(outstanding: list[int], count: int, parts: list[tuple[int, int]]) -> None:
    """A pile stays together if it fits one call, else is divided; further lanes only take the overflow."""
    assert policy.spread(outstanding, count, 32, 128, 16) == parts


def test_requests_that_cannot_be_stacked_alternate() -> None:
    """A model that takes one at a time answers sooner on two lanes."""
    assert policy.spread([1, 0], 1, 1, 64, 0) == [(1, 1)]


def test_slow_requests_go_to_the_emptier_lane_and_quick_ones_stay_together() -> None:
    """By the time that those on the first lane take; while nobody knows it, half a model call stays together."""
    few = [policy.within(policy.PILE_MICROS, 16, micros) for micros in (0.0, 100.0, 500.0, 1_000.0, 40_000.0)]
    assert few == [16, 16, 10, 5, 0]
    assert [policy.spread([5, 0], 1, 32, 128, each)[0][0] for each in few] == [0, 0, 0, 0, 1]
    assert [policy.spread([1, 0], 1, 32, 128, each)[0][0] for each in few] == [0, 0, 0, 0, 1]


def test_slow_lanes_report_sooner() -> None:
    """Each request of 10 ms or more, every eighth of one."""
    every = [max(1, policy.within(policy.REPORT_MICROS, 8, micros)) for micros in (0.0, 1_000.0, 2_500.0, 40_000.0)]
    assert every == [8, 8, 4, 1]
    assert [policy.wants_report(0, 3, 3, 128, 2048, every=each) for each in every] == [False, False, False, True]


def test_spread_never_overfills_nor_loses_room() -> None:
    """Whatever is outstanding: no lane passes its cap, and a request is left out only when all lanes are full."""
    chance = random.Random(7)
    for _ in range(3_000):
        size = chance.choice([1, 8, 32, 100])
        cap = policy.lane_cap(size)
        outstanding = [chance.randrange(cap + 5) for _ in range(chance.randint(LANES, MOST_LANES))]
        count = chance.choice([1, 2, size, size + 1, 5 * size, 3_000])
        load = outstanding + [0] * (MOST_LANES - len(outstanding))
        parts = policy.spread(outstanding, count, size, cap, chance.choice([0, size // 2]))
        for lane, part in parts:
            assert part > 0
            load[lane] += part
            assert load[lane] <= cap
        left = count - sum(part for _, part in parts)
        assert left >= 0
        assert left == 0 or all(held >= cap for held in load)


@pytest.mark.parametrize(
    ("lane", "sent", "done", "asked", "report"),
    [
        (0, 1, 0, 0, False),
        (0, 7, 0, 0, False),
        (0, 8, 0, 0, True),
        (1, 108, 100, 101, False),
        (1, 109, 100, 101, True),
        (2, 1, 0, 0, True),
        (0, 70, 6, 69, True),
        (0, 70, 7, 69, False),
    ],
)
def test_wants_report(lane: int, sent: int, done: int, asked: int, report: bool) -> None:
    """Every eighth request, always on extra lanes, and when the lane is half full."""
    assert policy.wants_report(lane, sent - asked, sent - done, 128, 2048) is report


def test_backoff_doubles_up_to_ten_seconds() -> None:
    """100 ms, 200 ms, … 10 s, however often."""
    assert [policy.backoff_ms(attempt) for attempt in (1, 2, 3, 7, 8, 20, 1_000)] == [
        100, 200, 400, 6_400, 10_000, 10_000, 10_000,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("attempt", "charged", "word"), [(1, 0, ""), (19, 5, ""), (3, 6, "apart from others"), (20, 0, "came back")]
)
def test_given_up(attempt: int, charged: int, word: str) -> None:
    """Three workers lost alone, or six beside others, or twenty bounces of whatever kind."""
    assert word in policy.given_up(attempt, charged)
    assert bool(word) == bool(policy.given_up(attempt, charged))


@pytest.mark.parametrize(
    ("executing", "solo", "alone", "charge"),
    [
        (True, True, True, 2),
        (True, True, False, 1),
        (True, False, True, 0),
        (True, False, False, 0),
        (False, True, True, 0),
        (False, False, False, 0),
    ],
)
def test_charge(executing: bool, solo: bool, alone: bool, charge: int) -> None:
    """Only what ran apart from its batch-mates is charged; batch-mates on a lane are not told apart."""
    assert policy.charge(executing=executing, solo=solo, alone=alone) == charge


def test_suspects_are_staggered() -> None:
    """A hundred suspects spread over a second, differently at each attempt, and the same in a replay."""
    pauses = {attempt: [policy.stagger_ms(f"s/{n}-0", attempt, 100) for n in range(100)] for attempt in (1, 2)}
    assert pauses[1] != pauses[2]
    for spread in pauses.values():
        assert all(0 <= pause < 1_000 for pause in spread)
        assert len(set(spread)) > 80
    assert policy.stagger_ms("s/1-0", 1, 100) == pauses[1][1]
    assert policy.stagger_ms("s/1-0", 1, 1) < 160


@pytest.mark.parametrize("bound", range(1, 60))
def test_what_is_not_asked_for_leaves_room(bound: int) -> None:
    """However small the bound: lanes that answer all they are asked about are never taken for full."""
    unasked = [0, 0]
    for turn in range(200):
        lane = turn % 2
        unasked[lane] += 1
        if policy.wants_report(lane, unasked[lane], unasked[lane], 128, bound):
            unasked[lane] = 0
        assert sum(unasked) <= bound // 2


@pytest.mark.parametrize(
    ("told", "micros", "bound"),
    [
        (0, 0.0, 2048),
        (0, 1_000.0, 2048),
        (0, 100_000.0, 200),
        (0, 1_000_000.0, 20),
        (0, 60_000_000.0, 4),
        (7, 1_000_000.0, 7),
        (50_000, 0.0, 50_000),
        (0, math.nan, 2048),
        (0, math.inf, 4),
        (0, -1.0, 2048),
    ],
)
def test_the_bound_of_a_version(told: int, micros: float, bound: int) -> None:
    """What two lanes finish in ten seconds, unless it was told; never so little that nothing gets through."""
    assert policy.queue_bound(told, micros, 10_000, 128) == bound


def test_the_service_time_is_smoothed() -> None:
    """One report is not everything, the first one is; reports that make no sense change nothing."""
    assert policy.smoothed(0.0, 1_000, 10) == 100
    assert policy.smoothed(100.0, 2_000, 10) == 120
    assert policy.smoothed(100.0, 30_000_000, 1) == 400
    for busy, requests in ((5, 0), (5, -1), (-5, 1)):
        assert policy.smoothed(100.0, busy, requests) == 100


@pytest.mark.parametrize(
    ("hope", "waited", "unanswered", "waits"),
    [
        (policy.Hope.NONE, 0, True, False),
        (policy.Hope.MOMENT, 0, False, True),
        (policy.Hope.MOMENT, 999, False, True),
        (policy.Hope.MOMENT, 1_000, False, False),
        (policy.Hope.MOMENT, 1_000, True, True),
        (policy.Hope.MOMENT, 60_000, True, False),
        (policy.Hope.LOADING, 59_999, False, True),
        (policy.Hope.LOADING, 60_000, False, False),
    ],
)
def test_waiting_has_an_end(hope: policy.Hope, waited: int, unanswered: bool, waits: bool) -> None:
    """A moment for news, longer for what is loading or not answered yet."""
    assert policy.may_wait(hope, waited, 60_000, unanswered=unanswered) is waits


def test_a_request_that_waits_is_looked_at_less_and_less_often() -> None:
    """About every half of the time it has waited, and exactly when its moment is over."""
    waited, looks = 0, []
    while waited < 3_000:
        waited += policy.hold_pause_ms(waited)
        looks.append(waited)
    assert policy.MOMENT_MS in looks
    assert len(looks) < 20


def test_a_quick_model_that_is_asked_now_and_then_stays_on_its_first_lane() -> None:
    """What is done and not reported yet does not send the next request elsewhere; slow ones use both lanes at once."""
    quick, slow = policy.few(1, 50), policy.few(1, 2_000)
    assert [policy.spread([waiting, 0], 1, 1, 64, quick)[0][0] for waiting in (0, 1, 8, 16, 17)] == [0, 0, 0, 0, 1]
    assert [policy.spread([waiting, 0], 1, 1, 64, slow)[0][0] for waiting in (0, 1)] == [0, 1]
    assert (policy.few(32, 50), policy.few(32, 0), policy.few(1, 0)) == (16, 16, 0)
