"""What the processes of a `scurry up` logged, also of one that ended."""

from __future__ import annotations

import argparse
import os
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from scurry.cli.connecting import folder_of
from scurry.cli.flags import checked, number
from scurry.cli.log_lines import Wanted, ago, is_span
from scurry.cli.output import say
from scurry.rules import between
from scurry.serving.graces import kind
from scurry.telemetry.logs import LEVELS
from scurry.wire.errors import NotFound

EXAMPLE = "example: scurry logs worker-0 -f"

ANY: Final = Wanted()
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
    parser.add_argument("--request", metavar="ID", default="", help="only lines about this request")
    parser.add_argument("--model", metavar="NAME", default="", help="only lines about this model")
    parser.add_argument("--level", choices=LEVELS, default="", help="only lines of this level and above")
    since = checked("--since", "a span such as 30s, 10m, 2h or 1d", is_span)
    parser.add_argument("--since", type=since, metavar="SPAN", help="only lines that are no older")
    parser.add_argument("--dir", metavar="DIR", help="data directory of the `scurry up`; else SCURRY_DIR")


def run(args: argparse.Namespace) -> int:
    """Print the last lines of each log; follow them until Ctrl-C."""
    logs = chosen(folder_of(args, os.environ) / "logs", args.process)
    since = ago(args.since) if args.since else ""
    wanted = Wanted(request=args.request, model=args.model, level=args.level, since=since)
    tails = [Tail(path, path.stem if len(logs) > 1 else "", wanted) for path in logs]
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

    def __init__(self, path: Path, name: str, wanted: Wanted = ANY) -> None:
        self._path, self._wanted = path, wanted
        self._prefix = f"{name:<10}| " if name else ""
        self._at = 0
        self._inode = 0
        self._rest = b""

    def last(self, count: int) -> list[str]:
        """Its last whole lines."""
        with self._path.open("rb") as log:
            if self._wanted:
                return self._last_wanted(log, count)
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

    def _last_wanted(self, log: IO[bytes], count: int) -> list[str]:
        """From the beginning: who knows where they are."""
        found: deque[str] = deque(maxlen=count)
        self._inode = os.fstat(log.fileno()).st_ino
        for line in log:
            if not line.endswith(b"\n"):
                break
            self._at += len(line)
            if self._takes(line):
                found.append(self._shown(line.rstrip(b"\n")))
        return list(found)

    def _takes(self, line: bytes) -> bool:
        return not self._wanted or self._wanted.takes(line.decode(errors="replace").rstrip("\n"))

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
        yield from (self._shown(line) for line in lines if self._takes(line))

    def _shown(self, line: bytes) -> str:
        return self._prefix + line.decode(errors="replace")

    def __repr__(self) -> str:
        return f"<Tail {self._path} at {self._at}>"
