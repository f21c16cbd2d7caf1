"""Which version, which lane, when to ask for a report, when to give up.

Pure: a choice that a replay could repeat depends on the request and the routes alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from hashlib import blake2b
from typing import Final

from scurry.job.module import serves
from scurry.wire.names import LANES, MOST_LANES

REPORT_EVERY: Final = 8
"""A lane reports when this many requests were sent since it was last asked: thin traffic costs few reports."""
REPORT_MICROS: Final = 10_000
"""But also when those take so long: of slow requests the router must know which lane holds them."""
PILE_MICROS: Final = 5_000
"""A request may wait so long on the first lane while the second is empty: few and larger calls are worth no more."""
STAY_MICROS: Final = 1_000
"""So long it may wait there though requests are not stacked: a model that is asked now and then stays on one worker."""

CHARGE_LIMIT: Final = 6
"""A request is given up when it is charged so much: 2 for a worker lost while nothing but this request ran there, 1
while others ran beside it and may be to blame."""
STAGGER_MS: Final = 10
"""Suspects are sent again this far apart on average, lest they meet the one that ends the worker."""
BOUNCES: Final = 20
"""So often may a request come back for whatever reason: about two and a half minutes."""
APART_MS: Final = 600_000
"""A version whose request ended its worker computes in child processes for so long."""
DRAIN_MS: Final = 60_000
DEFAULT_BATCH: Final = 32
QUEUE_MS: Final = 10_000
LEAST_QUEUE: Final = 4
"""Requests that may wait for a version, however slow it is."""
SMOOTHING: Final = 0.2
OUTLIER: Final = 16
"""A report counts as at most so many times what is known: that of a worker that stood still tells little."""
WATCH_MS: Final = 25_000
"""Deadlines so near are watched. One further away gets near: a request comes back from a silent worker before it, as
long as this is well above the transport's `silence` (10 s in module.yaml)."""
BUCKET_MS: Final = 250
"""Deadlines are answered at most so late, and together."""
FUNCTION_MS: Final = 300_000
"""A user function has so long for a request without a deadline."""
MOMENT_MS: Final = 1_000
"""A request waits so long for news of a version that nobody knows, which may be behind it on another way."""


class Hope(Enum):
    """Whether what cannot be routed now may be routed soon."""

    NONE = 0
    MOMENT = 1  # news of it may be on its way
    LOADING = 2  # it is being loaded


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not routed."""

    code: str
    message: str
    hope: Hope = Hope.NONE


UNDECIDED: Final = Refusal("model_not_ready", "A registry message before this request is undecided.", Hope.LOADING)
"""What a replayed request waits for: it may have been sent after that message was answered."""
QUEUED: Final = Refusal("model_not_ready", "Others wait for a version to be ready before this request.", Hope.LOADING)
"""What a step of a sequence waits for: no other may be overtaken by it."""

BEHIND: Final = Refusal("model_not_ready", "Steps before this request are on their way by former routes.", Hope.LOADING)
"""What a step waits for after a change of the routes, or it could overtake its predecessors, which take a detour."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What the settings say: how long a request may wait for a version to be loaded, and for its turn."""

    hold_ms: int = 60_000
    queue_ms: int = QUEUE_MS
    functions: tuple[str, ...] | None = None  # user functions and pools that there is an endpoint for; None: any

    def reaches(self, function: str) -> bool:
        """Whether a request for a function can be delivered; one that cannot would restart the job for ever."""
        return self.functions is None or serves(self.functions, function)


def may_wait(hope: Hope, waited_ms: int, hold_ms: int, *, unanswered: bool) -> bool:
    """Whether a request without a route is held on; `unanswered` is the question to the registry."""
    if hope is Hope.NONE:
        return False
    return waited_ms < (hold_ms if hope is Hope.LOADING or unanswered else min(MOMENT_MS, hold_ms))


def hold_pause_ms(waited_ms: int) -> int:
    """After how long a request that waits is looked at again."""
    pause = min(max(waited_ms // 2, 20), 500)
    return min(pause, MOMENT_MS - waited_ms) if waited_ms < MOMENT_MS else pause


def lane_cap(max_batch_size: int) -> int:
    """Requests that may be outstanding on one lane."""
    return max(64, 4 * max_batch_size)


def queue_bound(
    max_queue_size: int, service_micros: float, queue_ms: int, cap: int, *, first: int = LANES, most: int = MOST_LANES
) -> int:
    """Requests that may be outstanding on a version: what it was told, else what it can finish in time.

    While nobody knows how long a request takes, all lanes may be filled.
    """
    if max_queue_size > 0:
        return max_queue_size
    if not service_micros > 0:
        return most * cap
    return min(most * cap, max(LEAST_QUEUE, int(first * 1000 * queue_ms / service_micros)))


def within(micros: int, most: int, service_micros: float) -> int:
    """How many requests take no longer than that: at most `most`, and so many while nobody knows."""
    return most if service_micros <= 0 else min(most, int(micros / service_micros))


def few(max_batch_size: int, service_micros: float) -> int:
    """Requests that may be outstanding on the first lane before the second gets any.

    What is done and not reported counts as well, which is why quick models may have some whatever their batch.
    """
    larger = within(PILE_MICROS, max_batch_size // 2, service_micros)
    return max(larger, within(STAY_MICROS, 2 * REPORT_EVERY, service_micros)) if service_micros > 0 else larger


def smoothed(service_micros: float, busy_micros: int, requests: int) -> float:
    """The time one request takes, after another report."""
    if requests <= 0 or busy_micros < 0:
        return service_micros
    latest = busy_micros / requests
    if service_micros <= 0:
        return latest
    return service_micros + SMOOTHING * (min(latest, OUTLIER * service_micros) - service_micros)


def is_copied(version: str, percent: float, name: str) -> bool:
    """Whether the shadow `version` gets a copy of a request; `name` is one that no other request has."""
    point = int.from_bytes(blake2b(name.encode(), digest_size=4, key=version.encode()[:64]).digest())
    return point < percent / 100 * 2**32


def spread(
    outstanding: Sequence[int],
    count: int,
    max_batch_size: int,
    cap: int,
    few: int,
    *,
    first: int = LANES,
    most: int = MOST_LANES,
) -> list[tuple[int, int]]:
    """How many of `count` requests go to which lane; lanes beyond `outstanding` are new; what is missing has no room.

    1. A pile that fits one model call stays together: on lane 0 while that has no more than `few`, so that thin traffic
       makes few and larger calls; else on the emptiest of the `first` lanes.
    2. A larger one is divided among the first lanes, one message each.
    3. Further lanes, up to `most`, take only what those have no room for, so that they fall idle again by themselves.
    """
    if count <= max_batch_size:
        if first == LANES:
            lane = 0 if outstanding[0] <= max(outstanding[1], few) else 1
        else:
            lane = _calmest(outstanding, few, first)
        if (outstanding[lane] if lane < len(outstanding) else 0) + count <= cap:
            return [(lane, count)]
    share = max(max_batch_size, -(-count // first))
    load = [*outstanding, *[0] * (most - len(outstanding))]
    parts: list[tuple[int, int]] = []
    while count:
        lane_with_room = _roomiest(load, cap, first, most)
        if lane_with_room is None:
            break
        size = min(count, share, cap - load[lane_with_room])
        load[lane_with_room] += size
        count -= size
        parts.append((lane_with_room, size))
    return parts


def _calmest(outstanding: Sequence[int], few: int, first: int) -> int:
    """Of any number of first lanes, lane 0 while that has few, else the emptiest."""
    load = [*outstanding[:first], *[0] * (first - len(outstanding))]
    return 0 if load[0] <= max(min(load), few) else load.index(min(load))


def _roomiest(load: Sequence[int], cap: int, first: int, most: int) -> int | None:
    lane = min(range(first), key=load.__getitem__)
    if load[lane] < cap:
        return lane
    return next((lane for lane in range(first, most) if load[lane] < cap), None)


def wants_report(lane: int, unasked: int, outstanding: int, cap: int, bound: int, *, every: int = REPORT_EVERY) -> bool:
    """Whether the lane should say when it has finished all that it has.

    What is not asked for counts as outstanding: on the first lanes together it stays below half of the bound.
    """
    if unasked >= every or lane >= LANES or 2 * outstanding >= cap:
        return True
    return bound < 4 * REPORT_EVERY and 4 * unasked >= bound


def one_more(count: int, limit: int, step: int = 1) -> int:
    """A count that came with a message, raised; whatever came, it stays between 0 and just above its limit."""
    return min(max(count, 0), limit) + step


def backoff_ms(attempt: int) -> int:
    """Pause before a bounced request is sent again, for the first time with attempt 1."""
    return min(100 << min(max(attempt - 1, 0), 10), 10_000)


def stagger_ms(key: str, attempt: int, suspects: int) -> int:
    """A further pause for one of so many suspects: another for each, and another at each attempt."""
    return zlib.crc32(f"{key}/{attempt}".encode()) % (STAGGER_MS * max(suspects, 16))


def charge(*, executing: bool, solo: bool, alone: bool) -> int:
    """How much a lost worker speaks against a request."""
    return (2 if alone else 1) if executing and solo else 0


def given_up(attempt: int, charged: int) -> str:
    """Why a bounced request is not tried again; empty: it is."""
    if charged >= CHARGE_LIMIT:
        return "Worker after worker was lost while this request ran apart from others: it may be what ends them."
    if attempt >= BOUNCES:
        return f"It came back from the workers {attempt} times: none could finish it."
    return ""
