"""Load at Redis' door whose every request is accounted for, from registering to the last answer."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from tests.chaos.checker import Checker
from tests.chaos.door import Door
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.mix import Mix, Numbers, Subject, contents
from tests.chaos.models import WIDE, WIDTH, save, save_endless, save_hungry
from tests.chaos.registering import Registering
from tests.chaos.replies import Decoder, Reader
from tests.chaos.timeline import Timeline

RATE: Final = 80.0
SEED: Final = 7
MODELS: Final = ("plain-0", "plain-1", "wide")
STREAM: Final = "scurry:replies:rehearsal"


def save_models(folder: Path) -> None:
    """The files that registering names, for those whose workers see another folder."""
    for (model, version), content in contents(SEED).items():
        if model in MODELS:
            save(folder / f"{model}-{version}.onnx", content, WIDE if model == "wide" else WIDTH)
    save_hungry(folder / "hungry.onnx")
    save_endless(folder / "endless.onnx")


async def until(holds: Callable[[], bool], seconds: float) -> None:
    """Return when it holds, or the time is over."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:  # noqa: ASYNC110 - what threads and processes do sets no event
        await asyncio.sleep(0.1)


class Ledgered:
    """Load whose every request is accounted for, from registering to the last answer."""

    def __init__(self, redis_url: str, folder: Path, seen: Path | None = None, rate: float = RATE) -> None:
        """Files of models are saved in `folder`, which workers see as `seen`."""
        self._rate = rate
        self.checker = Checker(timeline := Timeline())
        numbers = Numbers(f"{int(time.time()) & 0xFFFFFF:x}")
        subjects = [Subject("plain-0"), Subject("plain-1", ("", "1")), Subject("wide", weight=1, width=4096)]
        decoder = Decoder(redis_url, numbers)
        self._reader = Reader(redis_url, STREAM, lambda fields, at: self.checker.replied(decoder.seen(fields, at)))
        mix = Mix(subjects, numbers, STREAM, random.Random(SEED))
        self._load = Load(Door(redis_url), mix, self.checker, rate)
        stack: Any = SimpleNamespace(redis_url=redis_url)
        Registering(stack, timeline, folder, SEED, seen).all(MODELS)

    def begin(self) -> None:
        """Ask from now on."""
        self._reader.start()
        self._load.start()

    async def answered(self, seconds: float = 60.0) -> float:
        """Return how long it took until requests sent from now on are answered."""
        begin = time.monotonic()
        await until(lambda: self.checker.last_answer > begin and self.checker.waiting < self._rate, seconds)
        assert self.checker.last_answer > begin, f"nothing was answered within {seconds} s"
        return time.monotonic() - begin

    async def end(self) -> Ledger:
        """Ask no more, wait for what is open and two checkpoints for what may come twice."""
        await asyncio.to_thread(self._load.stop)
        await until(lambda: not self.checker.waiting, 60)
        await asyncio.sleep(3)
        await asyncio.to_thread(self._reader.stop)
        failures = [one.failure for one in (self._load, self._reader) if one.failure]
        assert not failures, failures
        return self.checker.finish()
