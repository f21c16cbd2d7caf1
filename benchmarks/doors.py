"""The HTTP door beside a bare server of the same models: same requests, same generator, in turns."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine, models, report
from benchmarks.figures import DOORS, Figure
from benchmarks.generator import Generator
from benchmarks.registering import register_many, register_one

from scurry.cli.output import table

FIFTY = 50
WARM = Figure("warm", "tiny", "", ("--door", "http", "--callers", "64"), warm_up=0)
HEADINGS = (
    "figure", "Scurry /s", "bare /s", "ratio", "from", "to", "p50 ms", "bare p50", "p99 ms", "bare p99", "errors",
    "goal",
)  # fmt: skip
PARTS = (*report.PARTS, "bare")


@dataclass(slots=True)
class Rounds:
    """What one figure gave in each round: figures and cores, of ours and of the bare server's."""

    figure: Figure
    ours: list[tuple[dict[str, Any], dict[str, float]]] = field(default_factory=list)
    bare: list[tuple[dict[str, Any], dict[str, float]]] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """Our rate in parts of the bare server's, round by round."""
        return [a["per_second"] / b["per_second"] for (a, _), (b, _) in zip(self.ours, self.bare, strict=True)]

    def row(self) -> list[object]:
        """One line of the table: medians."""
        ours, bare = ([figures for figures, _ in side] for side in (self.ours, self.bare))
        failed = sum(one["failed"] for one in (*ours, *bare))
        return [
            self.figure.name, f"{_mid(ours, 'per_second'):,.0f}".rjust(9), f"{_mid(bare, 'per_second'):,.0f}".rjust(7),
            f"{median(self.ratios):.2f}", f"{min(self.ratios):.2f}", f"{max(self.ratios):.2f}",
            *(f"{_mid(side, name):.2f}".rjust(7) for name in ("p50_ms", "p99_ms") for side in (ours, bare)),
            failed, self.figure.goal,
        ]  # fmt: skip

    def costs(self) -> list[object]:
        """CPU microseconds a request costs each process, and cores kept busy while we were asked."""
        spent = {part: _micros(self.bare if part == "bare" else self.ours, part) for part in PARTS}
        whole = sum(spent[part] for part in PARTS[:-2])
        cores = median(used.get("machine", 0.0) for _, used in self.ours)
        return [self.figure.name, *(round(spent[part], 1) for part in PARTS), round(whole, 1), round(cores, 2)]


class Doors:
    """Some rounds against one `scurry up` and one bare server."""

    def __init__(
        self,
        args: argparse.Namespace,
        at: Mapping[str, Any],
        pid: int,
        folder: Path,
        say: Callable[[str], None],
    ) -> None:
        self._args, self._at, self._pid, self._folder, self._say = args, at, pid, folder, say
        self._rounds = [Rounds(figure) for figure in DOORS if self._wants(figure.name)]

    def _wants(self, name: str) -> bool:
        return not self._args.only or any(fnmatchcase(name, pattern) for pattern in self._args.only)

    def run(self) -> int:
        """Measure, print, write; 1 when a request failed."""
        for name, subject in models.make(self._folder / "models").items():
            register_one(self._at, name, subject.file, subject.max_batch_size)
        register_many(self._at, models.make_many(self._folder / "models", FIFTY))
        with _bare(self._folder / "models") as (pid, url):
            generator = Generator(self._at, self._folder, lambda: machine.processes(self._pid) | {pid: "bare"})
            self._say(f"warming both for {self._args.warm:g} s")
            for address in ("", url):
                generator.load(replace(WARM, seconds=self._args.warm), url=address)
            for number in range(self._args.rounds):
                for rounds in self._rounds:
                    self._turn(generator, rounds, url, bare_first=number % 2 == 1)
        return self._report()

    def _turn(self, generator: Generator, rounds: Rounds, url: str, *, bare_first: bool) -> None:
        figure = replace(rounds.figure, seconds=self._args.seconds or 6.0)
        turns = [(rounds.ours, ""), (rounds.bare, url)]
        for side, address in reversed(turns) if bare_first else turns:
            side.append(generator.load(figure, url=address))
        self._say(f"{figure.name}: {rounds.ratios[-1]:.2f} of the bare server")

    def _report(self) -> int:
        print("\nThe HTTP door and a bare aiohttp server of the same models. Medians; from, to: single rounds.")
        print(table(HEADINGS, [rounds.row() for rounds in self._rounds]))
        print("\nCPU microseconds a request costs each process; `all` without generator and bare.")
        print(table(("figure", *PARTS, "all", "cores"), [rounds.costs() for rounds in self._rounds]))
        for rounds in self._rounds:
            verdicts = {one["verdict"] for one, _ in (*rounds.ours, *rounds.bare) if one["verdict"]}
            print("".join(f"{rounds.figure.name}: {verdict}\n" for verdict in sorted(verdicts)), end="")
        found = {rounds.figure.name: {"ours": rounds.ours, "bare": rounds.bare} for rounds in self._rounds}
        Path(self._args.json).write_text(json.dumps(found, indent=1))
        print(f"\nwritten to {self._args.json}")
        failed = any(one["failed"] for rounds in self._rounds for one, _ in (*rounds.ours, *rounds.bare))
        return 1 if failed else 0


@contextmanager
def _bare(folder: Path) -> Iterator[tuple[int, str]]:
    """The bare server while a block runs: its pid and address."""
    command = [sys.executable, "-m", "benchmarks.bare_server", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            assert process.stdout
            yield process.pid, f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


def _mid(side: list[dict[str, Any]], name: str) -> float:
    return median(one[name] for one in side)


def _micros(side: list[tuple[dict[str, Any], dict[str, float]]], part: str) -> float:
    return median(used.get(part, 0.0) / max(figures["per_second"], 1e-9) * 1e6 for figures, used in side)
