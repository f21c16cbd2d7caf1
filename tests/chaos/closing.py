"""What can only be held to account once nothing moves: counts, results, records, other people's keys."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.chaos import poisoning
from tests.chaos.door import connect
from tests.chaos.ledger import Ledger
from tests.chaos.stack import Stack, fetch

DRAIN_S = 20.0
"""A version with nothing outstanding drains at once; one that counts a request too much waits for a minute."""
CALM_S = 45.0


@dataclass(frozen=True, slots=True)
class Kept:
    """A result that must lie in Redis still."""

    id: str
    version: str


def check_results(url: str, kept: Iterable[Kept], ledger: Ledger) -> int:
    """Every result that was to be kept says what its caller was told; how many those were."""
    link, count = connect(url), 0
    for each in kept:
        count += 1
        told = link.hgetall(f"scurry:result:{each.id}")
        version = told.get(b"version", b"").decode()
        if told.get(b"status") != b"ok" or version != each.version:
            ledger.wrong("results_differ", f"{each.id} answered by {each.version!r} is kept as {told}")
    return count


def check_in_flight(stack: Stack, ledger: Ledger) -> None:
    """The ingress counts nothing as under way any more; a count that is late has some time."""
    end = time.monotonic() + CALM_S
    counts = in_flight(stack)
    while any(counts) and time.monotonic() < end:
        time.sleep(1)
        counts = in_flight(stack)
    if not counts or any(counts):
        ledger.wrong("counters_off", f"the ingress says that {counts or 'an unknown number'} are in flight")


def in_flight(stack: Stack) -> Sequence[int]:
    """What each ingress says it has in flight; nothing when Flink does not say."""
    try:
        base = f"{stack.info['ui_url']}/jobs"
        job = f"{base}/{fetch(base)['jobs'][0]['id']}"
        found = []
        for vertex in fetch(job)["vertices"]:
            metrics = f"{job}/vertices/{vertex['id']}/metrics"
            names = [each["id"] for each in fetch(metrics) if each["id"].endswith("scurryIngressInFlight")]
            found += [int(each["value"]) for name in names for each in fetch(f"{metrics}?get={name}")]
        return found
    except (OSError, ValueError, KeyError, IndexError):
        return []


def check_drains(url: str, models: Iterable[str], ledger: Ledger) -> None:
    """Each model can be unregistered at once: the router counts nothing as outstanding that is answered."""
    link = connect(url, 90.0)
    for model in models:
        begin = time.monotonic()
        stream = f"scurry:replies:chaos-drain-{model}"
        update = json.dumps({"unregister": {"force": True}})
        fields = {"kind": "registry", "model": model, "update": update, "reply": stream}
        link.xadd("scurry:requests", fields)
        told = link.xread({stream: "0"}, count=1, block=80_000)
        seconds = time.monotonic() - begin
        if not told or told[0][1][0][1][b"status"] != b"ok" or seconds > DRAIN_S:
            ledger.wrong("counters_off", f"{model} was drained after {seconds:.0f} s: {told}")


def check_strangers(url: str, ledger: Ledger) -> None:
    """Keys that are none of ours are as they were."""
    for key in poisoning.touched(url):
        ledger.wrong("foreign_touched", key)
