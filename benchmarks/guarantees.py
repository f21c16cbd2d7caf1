"""What three of the guarantees cost: each with and without, in turns, in one run.

Run it on a quiet machine: `python -m benchmarks.guarantees` (four minutes).

script        replies written by the script by which the first result wins, and by plain XADD: Redis' CPU for each
checkpoints   requests/s of a tiny model with a checkpoint every five seconds, and with none during a turn
claim check   requests/s with inputs of 600 KB parked in Redis, and carried through Flink
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import redis
from benchmarks import models
from benchmarks.registering import register_one
from examples.digits.up import Up
from redis.client import Pipeline

from scurry.job.jars import find_module
from scurry.serving import ports, redis_server

SCRIPT = Path(__file__).parents[1] / "job/src/main/resources/io/scurry/job/egress/replies.lua"
TOGETHER = 48
"""Replies in one call: what a call has under 256 callers."""
CALLS = 200
TURNS = 6
TURN_S, WARM_S = 4.0, 10.0
LARGE = 150_528 * 4
CARRY = "import scurry.bench.requests as r; r.CLAIM_CHECK_BYTES = 1 << 30; import scurry.cli.main as m; m.main()"
"""The load generator, made to park nothing."""
CARRIED = ("  separateRegistry:", "  claimCheckBytes: 1073741824\n  separateRegistry:")
"""What is put into module.yaml so that the ingress parks nothing either."""

Turn = Callable[[], float]


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def row(name: str, unit: str, with_it: Turn, without: Turn) -> str:
    """A row of the table: both in turns, and the median of their ratios."""
    pairs = []
    for turn in range(TURNS):
        first, second = (with_it, without) if turn % 2 else (without, with_it)
        one, other = first(), second()
        pairs.append((one, other) if turn % 2 else (other, one))
    medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
    ratios = sorted(one / other for one, other in pairs)
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    return f"{name:<14}{unit:<22}{medians[0]:>10.1f}{medians[1]:>10.1f}{statistics.median(ratios):>8.2f}  {spread}"


@contextlib.contextmanager
def bare_redis(folder: Path) -> Iterator[redis.Redis]:
    """A Redis as `scurry up` runs it, with nothing else around."""
    (port,) = ports.pick([("--redis-port", 0, 0, "127.0.0.1")])
    command = redis_server.command(redis_server.find(os.environ).path, port, folder)
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    link = redis.Redis(port=port)
    try:
        while True:
            with contextlib.suppress(redis.ConnectionError):
                link.ping()
                break
            time.sleep(0.05)
        yield link
    finally:
        process.terminate()
        process.wait()


class Replies:
    """Replies of a tiny model, written in either way."""

    def __init__(self, link: redis.Redis) -> None:
        self._link, self._number = link, 0
        self._sha = link.script_load(SCRIPT.read_text())

    def scripted(self) -> float:
        """Microseconds of Redis for a reply, first result wins."""
        return self._measured(self._call)

    def plain(self) -> float:
        """Microseconds of Redis for a reply that is appended and no more."""
        return self._measured(self._append)

    def _measured(self, write: Callable[[Pipeline], None]) -> float:
        pipeline = self._link.pipeline(transaction=False)
        for _ in range(CALLS):
            write(pipeline)
        before = self._cpu()
        pipeline.execute()
        used = self._cpu() - before
        self._link.flushall()
        return used / (CALLS * TOGETHER) * 1e6

    def _cpu(self) -> float:
        told = self._link.info("cpu")
        return float(told["used_cpu_user"] + told["used_cpu_sys"])

    def _fields(self) -> tuple[str, Sequence[str | bytes]]:
        self._number += 1
        name = f"bench{self._number:011d}"
        return name, ("id", name, "status", "ok", "model", "tiny", "version", "1", "reply", bytes(40))

    def _append(self, pipeline: Pipeline) -> None:
        for _ in range(TOGETHER):
            _, fields = self._fields()
            pipeline.xadd("scurry:replies:bench", dict(zip(fields[::2], fields[1::2], strict=True)), maxlen=10_000)

    def _call(self, pipeline: Pipeline) -> None:
        keys: list[str] = ["scurry:ingress:answered"]
        words: list[Any] = [10000, 3600, 60, 2, "scurry:requests", TOGETHER, 1, "scurry:requests@tiny", TOGETHER, 1]
        for _ in range(TOGETHER):
            name, fields = self._fields()
            keys += [f"scurry:done:{name}", f"scurry:result:{name}", "scurry:replies:bench"]
            mark = f"answered\n\n{self._number:032x}\nscurry:requests/1700000000000-{self._number}\n"
            words += [mark, f"900 0 1 0 {len(fields)}", *fields]
        pipeline.evalsha(self._sha, len(keys), *keys, *words)


class Load:
    """`scurry bench` against one `scurry up`."""

    def __init__(self, at: dict[str, Any], folder: Path, *words: str, carry: bool = False) -> None:
        self._file = folder / "load.json"
        start = ("-c", CARRY) if carry else ("-m", "scurry")
        addresses = ("--redis-url", at["redis_url"], "--url", at["http_url"], "--json", str(self._file))
        self._command = (sys.executable, *start, "bench", *words, *addresses)

    def __call__(self, seconds: float = TURN_S) -> float:
        """Requests a second."""
        command = [*self._command, "--seconds", str(seconds), "--warm-up", "0.5"]
        subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
        (figures,) = json.loads(self._file.read_text())
        if figures["failed"]:
            raise SystemExit(f"{figures['failed']} requests failed: {' '.join(command)}")
        return float(figures["per_second"])


def main() -> int:
    """Print the table."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    print(f"{'':<14}{'':<22}{'with':>10}{'without':>10}{'ratio':>8}  of {TURNS} turns")
    with tempfile.TemporaryDirectory(prefix="scurry-guarantees-") as name:
        folder = Path(name)
        (folder / "redis").mkdir()
        with bare_redis(folder / "redis") as link:
            replies = Replies(link)
            print(row("script", "µs of Redis a reply", replies.scripted, replies.plain), flush=True)
        subjects = models.make(folder / "models")
        module = folder / "module.yaml"
        carries = find_module().read_text().replace(*CARRIED)
        assert CARRIED[1] in carries, "module.yaml has another form now: parking would not be turned off"
        module.write_text(carries)
        with (
            Up(folder / "often", say, "--checkpoint-interval", "5s") as often,
            Up(folder / "seldom", say, "--checkpoint-interval", "120s") as seldom,
            Up(folder / "carrying", say, "--checkpoint-interval", "5s", "--module", str(module)) as carrying,
        ):
            places = [each.wait_until_ready() for each in (often, seldom, carrying)]
            for at in places:
                for subject in ("tiny", "mean"):
                    register_one(at, subject, subjects[subject].file, subjects[subject].max_batch_size)
            loads = [Load(at, folder, "tiny", "--callers", "256") for at in places[:2]]
            say(f"warming both for {WARM_S:g} s")
            for load in loads:
                load(WARM_S)
            print(row("checkpoints", "requests/s", *loads), flush=True)
            large = ("mean", "--callers", "16", "--payload-bytes", str(LARGE))
            checked, carried = Load(places[0], folder, *large), Load(places[2], folder, *large, carry=True)
            for load in (checked, carried):
                load(WARM_S)
            print(row("claim check", "requests/s of 600 KB", checked, carried), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
