"""What a `scurry up` runs, and whether each part of it is ready."""

from __future__ import annotations

import argparse
import asyncio
import os
from typing import Any
from urllib.parse import urlsplit

from scurry.cli.connecting import add_json, folder_of, running_up
from scurry.cli.output import emit, table
from scurry.serving.graces import kind
from scurry.serving.readiness import http_says_ready, redis_answers, rest_says_running
from scurry.serving.sockets import listens
from scurry.wire.errors import Unavailable

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
    lines = asyncio.run(looked_at(written))
    is_ready = bool(written.get("ready")) and all(line["ready"] for line in lines)
    head = f"scurry is {'ready' if is_ready else 'not ready'} (process {written['pid']}, {folder})"
    rows = [(one["process"], one["state"], "yes" if one["ready"] else "no", one["pid"] or "", one["restarts"],
             one["address"]) for one in lines]  # fmt: skip
    emit(args, {"ready": is_ready, "pid": written["pid"], "processes": lines}, f"{head}\n{table(COLUMNS, rows)}")
    return 0 if is_ready else 1


async def looked_at(written: dict[str, Any]) -> list[dict[str, Any]]:
    """Each process as it was written down, and whether it is ready now."""
    processes: dict[str, dict[str, Any]] = written.get("processes", {})
    ready = await asyncio.gather(*(is_ready(name, written) for name in processes))
    return [
        {"process": name, "state": one.get("state", ""), "ready": answer, "pid": one.get("pid", 0),
         "restarts": one.get("restarts", 0), "address": address(name, written)}
        for (name, one), answer in zip(processes.items(), ready, strict=True)
    ]  # fmt: skip


def address(name: str, written: dict[str, Any]) -> str:
    """Where a process listens; empty when it does not."""
    if name.startswith("worker-"):
        urls: list[str] = written.get("worker_urls", [])
        number = int(name.partition("-")[2])
        return urls[number] if number < len(urls) else ""
    keys = {"gateway": "http_url", "functions": "functions_url", "redis": "redis_url", "job": "ui_url"}
    return str(written.get(keys.get(kind(name), ""), ""))


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
