"""What the processes of a `scurry up` logged, also of one that ended."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from scurry.cli.connecting import folder_of
from scurry.cli.flags import number
from scurry.cli.output import say
from scurry.rules import between
from scurry.serving.graces import kind
from scurry.wire.errors import NotFound

EXAMPLE = "example: scurry logs worker-0 -f"

POLL_S: Final = 0.25
LINE_BYTES: Final = 512
"""About what a line takes: so much of a log is read to find its last lines, and more where lines are longer."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry logs`."""
    parser.add_argument(
        "process", metavar="PROCESS", nargs="*", help="job, redis, worker-0, worker (every one), …; without it, all"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on with what is logged from now on")
    parser.add_argument(
        "-n", "--lines", type=number("--lines", between(0, 1_000_000), int), default=20, help="lines of each (20)"
    )
    parser.add_argument("--dir", metavar="DIR", help="data directory of the `scurry up`; else SCURRY_DIR")


def run(args: argparse.Namespace) -> int:
    """Print the last lines of each log; follow them until Ctrl-C."""
    logs = chosen(folder_of(args, os.environ) / "logs", args.process)
    tails = [Tail(path, path.stem if len(logs) > 1 else "") for path in logs]
    for tail in tails:
        for line in tail.last(args.lines):
            say(line)
    while args.follow:
        for tail in tails:
            for line in tail.more():
                say(line)
        time.sleep(POLL_S)
    return 0


def chosen(folder: Path, names: list[str]) -> list[Path]:
    """The logs of the processes named, `worker` for all of its kind, or all there are. Raises `NotFound`."""
    there = sorted(folder.glob("*.log"), key=lambda path: path.stem)
    if not there:
        raise NotFound("result_not_found", f"There are no logs in {folder}.")
    found = {name: [path for path in there if name in (path.stem, kind(path.stem))] for name in names}
    for name, paths in found.items():
        if not paths:
            known = ", ".join(path.stem for path in there)
            raise NotFound("result_not_found", f"There is no log of {name!r} in {folder}, only of {known}.")
    return list(dict.fromkeys(path for paths in found.values() for path in paths)) or there


class Tail:
    """The end of one log, and what is added to it; a log that was put aside is begun anew."""

    def __init__(self, path: Path, name: str) -> None:
        self._path = path
        self._prefix = f"{name:<10}| " if name else ""
        self._at = 0
        self._inode = 0
        self._rest = b""

    def last(self, count: int) -> list[str]:
        """Its last whole lines."""
        with self._path.open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            self._inode, span = os.fstat(log.fileno()).st_ino, max(1, count) * LINE_BYTES
            while True:
                log.seek(max(0, size - span))
                lines = log.read(min(span, size)).split(b"\n")
                if len(lines) > count + 1 or span >= size:
                    break
                span *= 2
        self._at, self._rest = size, lines.pop()
        return [self._shown(line) for line in lines[-count:]] if count else []

    def more(self) -> Iterator[str]:
        """Whole lines that came since."""
        try:
            with self._path.open("rb") as log:
                yield from self._read_on(log)
        except FileNotFoundError:
            self._at, self._rest = 0, b""

    def _read_on(self, log: IO[bytes]) -> Iterator[str]:
        facts = os.fstat(log.fileno())
        if facts.st_ino != self._inode or facts.st_size < self._at:
            self._inode, self._at, self._rest = facts.st_ino, 0, b""
        log.seek(self._at)
        *lines, rest = (self._rest + log.read(1 << 20)).split(b"\n")
        self._at, self._rest = log.tell(), rest
        for line in lines:
            yield self._shown(line)

    def _shown(self, line: bytes) -> str:
        return self._prefix + line.decode(errors="replace")

    def __repr__(self) -> str:
        return f"<Tail {self._path} at {self._at}>"
