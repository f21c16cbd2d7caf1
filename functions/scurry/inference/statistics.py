"""What became of the models on a shelf, since its worker started.

A request is a hit when its model stood open, else a miss, also when another request's load was under way already. The
age at eviction is the time since a model was last used when it had to make room: where it is short, the budget is.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from scurry.telemetry.prometheus import Figure

if TYPE_CHECKING:
    from collections.abc import Callable

    from scurry.inference.response_cache import ResponseCache
    from scurry.inference.shelf import Shelf
    from scurry.sources.fetch import Sources

log = logging.getLogger(__name__)

TOLD_SECONDS: Final = 60.0
"""A shelf that is at work says so in the log no more often than this."""


class Statistics:
    """Counts; those of requests and loads are the shelf's to add."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.hits = self.misses = self.loads = self.failures = self.evictions = 0
        self.load_seconds = self.age_seconds = 0.0
        self._told = clock()

    def ask(self, requests: int, *, hit: bool) -> None:
        """So many requests found their model, or did not."""
        if hit:
            self.hits += requests
        else:
            self.misses += requests

    def load(self, seconds: float, shelf: Shelf) -> None:
        """A model was opened, or taken over from another registration."""
        self.loads += 1
        self.load_seconds += seconds
        if self.clock() - self._told >= TOLD_SECONDS:
            self._told = self.clock()
            log.info("%r: %r", shelf, self)

    def evict(self, used: float) -> float:
        """A model that was last used then made room; how long ago that was."""
        age = self.clock() - used
        self.evictions += 1
        self.age_seconds += age
        return age

    def __repr__(self) -> str:
        asked, age = self.hits + self.misses, self.age_seconds / (self.evictions or 1)
        ratio = f"{self.hits / asked:.3f}" if asked else "none"
        return (
            f"<Statistics {asked} requests, hit ratio {ratio}, {self.loads} loads, {self.failures} failed, "
            f"{self.evictions} evictions at {age:.1f} s>"
        )


def figures(shelf: Shelf, budget: int, sources: Sources, cache: ResponseCache) -> list[Figure]:
    """All of it for whoever scrapes the worker."""
    told = shelf.statistics
    return [
        Figure("scurry_shelf_models", "gauge", "Registrations that are open", shelf.models),
        Figure("scurry_shelf_bytes", "gauge", "Memory that open models take, measured", shelf.bytes),
        Figure("scurry_shelf_budget_bytes", "gauge", "Memory that they may take", budget),
        Figure("scurry_shelf_hits_total", "counter", "Requests whose model was open", told.hits),
        Figure("scurry_shelf_misses_total", "counter", "Requests whose model had to be opened first", told.misses),
        Figure("scurry_shelf_loads_total", "counter", "Models opened", told.loads),
        Figure("scurry_shelf_load_failures_total", "counter", "Models that could not be opened", told.failures),
        Figure("scurry_shelf_load_seconds_total", "counter", "Time that opening took", told.load_seconds),
        Figure("scurry_shelf_evictions_total", "counter", "Models that made room for others", told.evictions),
        Figure(
            "scurry_shelf_eviction_age_seconds_total",
            "counter",
            "Time since those models were last used",
            told.age_seconds,
        ),
        Figure("scurry_sources_fetches_total", "counter", "Versions fetched from a source", sources.fetches),
        Figure("scurry_sources_fetched_bytes_total", "counter", "Bytes fetched from sources", sources.bytes),
        Figure("scurry_response_cache_hits_total", "counter", "Requests answered from memory", cache.hits),
        Figure("scurry_response_cache_misses_total", "counter", "Requests that memory had no answer for", cache.misses),
        Figure("scurry_response_cache_bytes", "gauge", "Memory that kept answers take", cache.bytes),
    ]
