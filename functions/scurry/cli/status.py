"""What a `scurry up` runs, and whether each part of it is ready."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any
from urllib.parse import urlsplit

from scurry.cli import load
from scurry.cli.connecting import add_json, folder_of, running_up
from scurry.cli.output import emit, table
from scurry.client.client import Client
from scurry.serving.graces import kind
from scurry.serving.readiness import http_says_ready, redis_answers, rest_says_running
from scurry.serving.sockets import listens
from scurry.wire.errors import ScurryError, Unavailable
from scurry.wire.pools import DEFAULT_POOL

EXAMPLE = "example: scurry status --dir .scurry --json"

COLUMNS = ("PROCESS", "STATE", "READY", "PID", "RESTARTS", "ADDRESS")


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry status`."""
    parser.add_argument("--dir", metavar="DIR", help="data directory of the `scurry up`; else SCURRY_DIR")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Print a line for each process; 0 when all of it is ready."""
    folder = folder_of(args, os.environ)
    written = running_up(folder)
    if not written:
        raise Unavailable("unavailable", f"No `scurry up` is running in {folder}.")
    lines, models = asyncio.run(both(written))
    is_ready = bool(written.get("ready")) and all(line["ready"] for line in lines)
    head = f"scurry is {'ready' if is_ready else 'not ready'} (process {written['pid']}, {folder})"
    rows = [(named(one), one["state"], "yes" if one["ready"] else "no", one["pid"] or "", one["restarts"],
             " ".join(filter(None, (one["address"], one.get("grpc_address"))))) for one in lines]  # fmt: skip
    told = {"ready": is_ready, "pid": written["pid"], "processes": lines, "models": models}
    more = f"\n\n{table(load.COLUMNS, [load.cells(row) for row in models])}" if models else ""
    emit(args, told, f"{head}\n{table(COLUMNS, rows)}{more}")
    return 0 if is_ready else 1


async def both(written: dict[str, Any]) -> tuple[list[dict[str, Any]], list[load.Row]]:
    """Processes and models; no models where Redis does not tell."""
    return await looked_at(written), await models_of(written)


async def models_of(written: dict[str, Any]) -> list[load.Row]:
    """What each version has done since it was registered."""
    try:
        async with Client(written["redis_url"], namespace=written.get("namespace", "scurry")) as asker:
            return load.model_rows({}, await asker.models(), 0.0)
    except ScurryError:
        return []


async def looked_at(written: dict[str, Any]) -> list[dict[str, Any]]:
    """Each process as it was written down, and whether it is ready now."""
    processes: dict[str, dict[str, Any]] = written.get("processes", {})
    ready = await asyncio.gather(*(is_ready(name, written) for name in processes))
    return [
        {"process": name, "state": one.get("state", ""), "ready": answer, "pid": one.get("pid", 0),
         "restarts": one.get("restarts", 0), "address": address(name, written),
         **({"pool": pool} if (pool := pool_of(name, written)) else {}),
         **({"grpc_address": written.get("grpc_url", "")} if kind(name) == "gateway" else {})}
        for (name, one), answer in zip(processes.items(), ready, strict=True)
    ]  # fmt: skip


def address(name: str, written: dict[str, Any]) -> str:
    """Where a process listens; empty when it does not."""
    if name.startswith("worker-"):
        return of_worker(name, written.get("worker_urls", []))
    keys = {
        "gateway": "http_url", "functions": "functions_url", "redis": "redis_url", "job": "ui_url",
        "bridge": "bridge_url",
    }  # fmt: skip
    return str(written.get(keys.get(kind(name), ""), ""))


def of_worker(name: str, told: list[str]) -> str:
    """What is told of a worker in a list of all of them."""
    number = int(name.partition("-")[2])
    return told[number] if number < len(told) else ""


def pool_of(name: str, written: dict[str, Any]) -> str:
    """The pool of a worker; empty for other processes."""
    return of_worker(name, written.get("worker_pools", [])) if name.startswith("worker-") else ""


def named(one: dict[str, Any]) -> str:
    """A process as people read it: a worker of a further pool with that."""
    return f"{one['process']} ({one['pool']})" if one.get("pool", DEFAULT_POOL) != DEFAULT_POOL else one["process"]


async def is_ready(name: str, written: dict[str, Any]) -> bool:
    """Whether it can do its work; a job without its web UI is judged by its state alone."""
    where = address(name, written)
    if name == "redis":
        return await redis_answers(where)
    one = written["processes"][name]
    if not where:
        return str(one.get("state")) == "running"
    parts = urlsplit(where)
    host, port = parts.hostname or "", parts.port or 0
    if name == "job":
        return await rest_says_running(host, port)
    if kind(name) != "gateway":
        return await http_says_ready(host, port, "/readyz")
    if written.get("asks_certificates"):  # and we have none to show
        return str(one.get("state")) == "running"
    is_tls = {"tls": True} if parts.scheme == "https" else {}
    return (name == "gateway" or is_at(port, one)) and await http_says_ready(host, port, "/v2/health/ready", **is_tls)


def is_at(port: int, one: dict[str, Any]) -> bool:
    """Whether one of several gateways is there to be asked: who of them answers at the port, the kernel decides."""
    told = listens(one.get("pid", 0), port)
    return str(one.get("state")) == "running" if told is None else told
