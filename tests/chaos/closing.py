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

COUNTED_S = 20.0
"""Flink's pages show a gauge as it was up to ten seconds ago."""
DRAIN_S = 20.0
"""A version with nothing outstanding drains at once; one that counts a request too much waits for a minute."""


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


def check_audit(url: str, model: str, least: int, most: int, ledger: Ledger) -> None:
    """Every change was applied once: the numbers under which they were are without a gap, and as many as there were.

    A change that was refused while workers died counts or not: it may have been begun.
    """
    audits = [fields for _, fields in connect(url).xrange("scurry:registry") if fields[b"model"] == model.encode()]
    numbers = {int(fields[b"sequence"]) for fields in audits if fields[b"outcome"] == b"applied"}
    if numbers != set(range(1, len(numbers) + 1)) or not least <= len(numbers) <= most:
        gaps = sorted(set(range(1, max(numbers, default=0) + 1)) - numbers)
        told = f"{len(numbers)} changes of {model} applied, not {least} to {most}; missing {gaps}"
        ledger.wrong("counters_off", told)


def check_in_flight(stack: Stack, ledger: Ledger) -> None:
    """Once all is answered every ingress comes to count nothing as in flight."""
    end, counts = time.monotonic() + COUNTED_S, in_flight(stack)
    while (not counts or any(counts)) and time.monotonic() < end:
        time.sleep(0.5)
        counts = in_flight(stack)
    if not counts or any(counts):
        ledger.wrong("counters_off", f"in flight with nothing open: {counts or 'Flink does not say'}")


def in_flight(stack: Stack) -> Sequence[int]:
    """What each ingress had in flight when it looked last; nothing when Flink does not say."""
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
