"""The digits demo: train, start, register while requests flow, ask, compare."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from examples.digits.ask import Asker, Stream, Tally
from examples.digits.in_process import InProcess, Key
from examples.digits.train import HeldBack, Trained, train
from examples.digits.up import Up

from scurry.client.client import Client
from scurry.wire.messages_pb2 import Register, Update

START = time.perf_counter()
HEADINGS = ("model", "version", "kind", "runtime", "accuracy", "requests", "requests/s", "p50 ms", "p99 ms")


def say(line: str) -> None:
    """One line of progress."""
    print(f"[{time.perf_counter() - START:5.1f} s] {line}", flush=True)


def main() -> int:
    """0 when every answer was the right one."""
    with tempfile.TemporaryDirectory(prefix="scurry-digits-") as name:
        folder = Path(name)
        say("starting everything with `scurry up`, training three kinds of classifiers meanwhile")
        with Up(folder / "up", say) as up:
            trained, held_back = train(folder)
            expected = InProcess(trained, held_back.images)
            say(f"trained; {len(held_back.images)} images held back, every answer to them computed in process")
            return asyncio.run(serve(up.wait_until_ready()["redis_url"], trained, held_back, expected))


async def serve(redis_url: str, trained: Sequence[Trained], held_back: HeldBack, expected: InProcess) -> int:
    """Register and ask against the running job; 0 when every answer was the right one."""
    async with Client(redis_url) as client:
        asker = Asker(client, held_back, expected)
        first, *others = trained
        seconds = await register(client, first)
        say(f"{first.model} {first.version} is ready after {seconds:.2f} s; requests start to flow")
        async with Stream(asker, first.model, len(held_back.images)) as stream:
            for one in others:
                before = stream.count
                seconds = await register(client, one)
                meanwhile = stream.count - before
                say(
                    f"{one.model} {one.version} is ready after {seconds:.2f} s; {meanwhile} requests answered meanwhile"
                )
                if not meanwhile:
                    asker.wrong.append(f"no request was answered while {one.model} {one.version} was being registered")
            tallies = {one.key: await asker.ask_all(*one.key) for one in trained}
        await asker.check_kept()
    say("everything asked\n")
    print(table(trained, tallies))
    return verdict(asker, stream)


async def register(client: Client, one: Trained) -> float:
    """Register a version and wait until it is ready; the seconds it took."""
    start = time.perf_counter()
    change = Register(version=one.version, uri=str(one.file), runtime=one.runtime)
    await client.update(Update(model=one.model, register=change), timeout=60)
    return time.perf_counter() - start


def table(trained: Sequence[Trained], tallies: Mapping[Key, Tally]) -> str:
    """What each version answered, aligned."""
    rows: list[tuple[str, ...]] = [HEADINGS]
    rows += [(one.model, one.version, one.kind, one.runtime, *tallies[one.key].row) for one in trained]
    widths = [max(len(row[at]) for row in rows) for at in range(len(HEADINGS))]
    return "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in rows)


def verdict(asker: Asker, stream: Stream) -> int:
    """Say how it went; 1 unless every answer was the right one."""
    versions = ", ".join(
        f"{count} by {model} {version}" for (model, version), count in sorted(asker.by_version.items())
    )
    print(f"\n{len(asker.answers)} requests ({stream.count} of them flowing all the while) answered: {versions}.")
    if asker.wrong:
        print(f"FAILED: {len(asker.wrong)} answers are not those of the same model run in process:")
        print("\n".join(asker.wrong[:20]))
        return 1
    print("Each id has exactly one answer, and each answer equals the same model run in process.")
    return 0
