"""What runs and how much it does, looked at again and again."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import aiohttp

from scurry.cli.connecting import add_json, add_redis, client, folder_of, running_up
from scurry.cli.flags import number
from scurry.cli.load import COLUMNS, cells, model_rows
from scurry.cli.output import emit, table
from scurry.client.client import Client
from scurry.rules import between
from scurry.telemetry.process import Usage, usage
from scurry.wire.pools import DEFAULT_POOL

EXAMPLE = "example: scurry top --interval 5"

CLEAR: Final = "\x1b[H\x1b[2J"
SHELF: Final = {"scurry_shelf_models": "models", "scurry_shelf_bytes": "bytes", "scurry_shelf_budget_bytes": "budget"}
MIB: Final = 1 << 20


class Look(NamedTuple):
    """What was seen at one moment."""

    at: float
    models: Mapping[str, Any]
    usages: Mapping[str, Usage | None]


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry top`."""
    add_redis(parser)
    add_json(parser)
    parser.add_argument("--once", action="store_true", help="look twice, print once")
    reader = number("--interval", between(0.1, 3600, "a number"))
    parser.add_argument("--interval", type=reader, default=2.0, metavar="SECONDS", help="between two looks (2)")


def run(args: argparse.Namespace) -> int:
    """Print until Ctrl-C, on a terminal in place."""
    return asyncio.run(_watch(args, up_of(args)))


def up_of(args: argparse.Namespace) -> dict[str, Any]:
    """The `scurry up` whose processes are shown; none where another Redis is asked."""
    written = running_up(folder_of(args, os.environ))
    return {} if args.redis_url and args.redis_url != written.get("redis_url") else written


async def _watch(args: argparse.Namespace, up: dict[str, Any]) -> int:
    async with client(args) as asker, aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(2)) as session:
        before = await _look(asker, up)
        while True:
            await asyncio.sleep(min(args.interval, 1.0) if args.once else args.interval)
            now = await _look(asker, up)
            shelves = await asyncio.gather(*(shelf(session, url, pool) for url, pool in workers_of(up)))
            told = summary(before, now, up, shelves)
            clear = CLEAR if sys.stdout.isatty() and not (args.once or args.json) else ""
            emit(args, told, clear + shown(told))
            if args.once:
                return 0
            before = now


async def _look(asker: Client, up: Mapping[str, Any]) -> Look:
    usages = {name: usage(one["pid"]) if one["pid"] else None for name, one in up.get("processes", {}).items()}
    return Look(time.monotonic(), await asker.models(), usages)


def workers_of(up: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Each worker and its pool, as a `scurry up` wrote them down."""
    urls = up.get("worker_urls", [])
    return list(zip(urls, up.get("worker_pools") or [DEFAULT_POOL] * len(urls), strict=True))


async def shelf(session: aiohttp.ClientSession, url: str, pool: str = DEFAULT_POOL) -> dict[str, Any]:
    """What a worker says of its shelf; nothing but its pool if it does not answer."""
    told: dict[str, Any] = {"worker": url, "pool": pool}
    with contextlib.suppress(aiohttp.ClientError, TimeoutError, ValueError):
        async with session.get(f"{url}/metrics") as answer:
            for line in (await answer.text()).splitlines():
                name, _, value = line.partition(" ")
                if name in SHELF:
                    told[SHELF[name]] = int(float(value))
    return told


def summary(before: Look, now: Look, up: Mapping[str, Any], shelves: list[dict[str, Any]]) -> dict[str, Any]:
    """All that is shown."""
    seconds = now.at - before.at
    processes = []
    for name, one in up.get("processes", {}).items():
        took, had = now.usages.get(name), before.usages.get(name)
        cpu = (took.cpu_seconds - had.cpu_seconds) / seconds if took and had and seconds else 0.0
        processes.append({
            "process": name, "state": one["state"], "pid": one["pid"], "cpu_percent": round(100 * max(cpu, 0.0), 1),
            "memory": took.resident_bytes if took else 0,
        })  # fmt: skip
    models = model_rows(before.models, now.models, seconds)
    return {"seconds": round(seconds, 3), "models": models, "workers": shelves, "processes": processes}


def shown(told: Mapping[str, Any]) -> str:
    """For people."""
    models = [cells(row) for row in told["models"]]
    parts = [table(COLUMNS, models) if models else "No models are registered."]
    if told["workers"]:
        held = [(one["worker"], one.get("pool", ""), one.get("models", 0), one.get("bytes", 0) // MIB,
                 one.get("budget", 0) // MIB) for one in told["workers"]]  # fmt: skip
        parts.append(table(("WORKER", "POOL", "MODELS", "SHELF MIB", "OF MIB"), held))
    if told["processes"]:
        rows = [(one["process"], one["state"], one["pid"] or "", one["cpu_percent"], one["memory"] // MIB)
                for one in told["processes"]]  # fmt: skip
        parts.append(table(("PROCESS", "STATE", "PID", "CPU %", "MIB"), rows))
    return "\n\n".join(parts)
