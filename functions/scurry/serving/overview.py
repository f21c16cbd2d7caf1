"""The supervisor's page: what runs, and where Prometheus finds it.

`/metrics` has a line for each process, `/targets` the pages of all of them in the form of Prometheus' HTTP discovery:
ports are free ones, and change.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from aiohttp import web

from scurry.telemetry.pages import Pages, scraped
from scurry.telemetry.process import own_figures, usage
from scurry.telemetry.prometheus import Figure
from scurry.wire.pools import DEFAULT_POOL

Facts = Mapping[str, Any]


class Overview(Pages):
    """Answers from what the supervisor would write down at that moment."""

    def __init__(self, facts: Callable[[], Facts]) -> None:
        self._facts = facts
        super().__init__("the supervisor's metrics", {"/metrics": self._metrics, "/targets": self._targets})

    async def _metrics(self, _: web.Request) -> web.Response:
        return scraped([*figures(self._facts()), *own_figures()])

    async def _targets(self, _: web.Request) -> web.Response:
        return web.Response(text=json.dumps(targets(self._facts())), content_type="application/json")


def figures(facts: Facts) -> Iterator[Figure]:
    """Each process: whether it runs, how often it was started again, what it takes."""
    yield Figure("scurry_ready", "gauge", "Whether all was ready once, and nothing refuses to start", facts["ready"])
    for name, one in facts["processes"].items():
        labels = (("process", name), *_pool(name, facts.get("worker_pools", ())))
        running = one["state"] == "running"
        yield Figure("scurry_process_running", "gauge", "Whether a process runs", running, labels)
        again = "How often a process was started again"
        yield Figure("scurry_process_restarts_total", "counter", again, one["restarts"], labels)
        taken = usage(one["pid"]) if one["pid"] else None
        if taken is not None:
            cpu = "Time that a process computed"
            yield Figure("scurry_process_cpu_seconds_total", "counter", cpu, taken.cpu_seconds, labels)
            memory = "Memory that a process has"
            yield Figure("scurry_process_resident_memory_bytes", "gauge", memory, taken.resident_bytes, labels)


def targets(facts: Facts) -> list[dict[str, Any]]:
    """Where the pages are, each group with the component that it is a page of."""
    pools = facts.get("worker_pools") or [DEFAULT_POOL] * len(facts["worker_urls"])
    workers = list(zip(facts["worker_urls"], pools, strict=True))
    found = [
        ({"component": "up"}, [facts["up_url"]]),
        ({"component": "gateway"}, facts["metrics_urls"]),
        ({"component": "functions"}, [facts["functions_url"]]),
        *(({"component": "worker", "pool": pool}, [url for url, its in workers if its == pool])
          for pool in dict.fromkeys(pools)),
        ({"component": "bridge"}, [facts["bridge_url"]]),
        ({"component": "job"}, [facts["job_metrics_url"]] if facts["job_metrics_url"] else []),
    ]  # fmt: skip
    return [
        {"targets": [url.partition("//")[2].partition("/")[0] for url in urls], "labels": labels}
        for labels, urls in found
        if urls
    ]


def _pool(name: str, pools: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The label of a worker's pool."""
    kind, _, number = name.partition("-")
    return (("pool", pools[int(number)]),) if kind == "worker" and int(number) < len(pools) else ()
