"""One run: a system is started, asked, broken, and held to what it promised."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from tests.chaos import poisoning
from tests.chaos.callers import Callers
from tests.chaos.catalogue import FAULTS, HARMLESS
from tests.chaos.changes import MODEL, Changes
from tests.chaos.checker import Checker
from tests.chaos.claims import KEPT_S
from tests.chaos.closing import Kept, check_audit, check_drains, check_in_flight, check_results, check_strangers
from tests.chaos.door import Door, Marks, connect
from tests.chaos.http_steps import HttpStepping
from tests.chaos.ledger import Ledger
from tests.chaos.load import Load
from tests.chaos.memory import Sampler
from tests.chaos.mix import Mix, Numbers, Subject
from tests.chaos.models import WIDE
from tests.chaos.registering import Registering
from tests.chaos.replies import Decoder, Fields, Reader
from tests.chaos.scene import Scene
from tests.chaos.schedule import Due, schedule
from tests.chaos.stack import Stack
from tests.chaos.stepping import NAMES, Crowd, Stepping
from tests.chaos.timeline import Timeline
from tests.chaos.watch import Acting, RestartWatch

SUBJECTS = (
    Subject("plain-0"), Subject("plain-1", ("", "1")), Subject("plain-2"), Subject("plain-3", weight=2),
    Subject("split", ("", "", "", "1", "2", "stable")), Subject("spread", weight=5),
    Subject(MODEL, ("", "", "live")), Subject("wide", weight=1, width=WIDE), Subject("kept", weight=5, below=3),
    Subject("shadowed", weight=5), Subject("chain", weight=2),
)  # fmt: skip
SETTLE_S = 150.0
CALIBRATE_S = 6.0
CALLERS = 4
WALKERS = 32
"""Sequences that are stepped at the same time at Redis' door."""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for on the command line."""

    minutes: float
    seed: int
    rate: float
    every: float
    faults: tuple[str, ...]
    subjects: tuple[str, ...]
    soak: bool = False  # no faults: memory is watched


class Campaign:
    """The parts of one run, put together."""

    def __init__(
        self, options: Options, stack: Stack, tell: Callable[[str], None], folder: Path, disk: Path | None = None
    ) -> None:
        self.options, self.stack, self.tell, self.folder = options, stack, tell, folder
        run = f"{int(time.time()) & 0xFFFFFF:x}"
        stream = f"scurry:replies:chaos-{run}"
        self.timeline = Timeline()
        self.checker = Checker(self.timeline)
        self.door = Door(stack.redis_url)
        self.marks = Marks(stack.redis_url, self.door)
        self.numbers = Numbers(run)
        subjects = [subject for subject in SUBJECTS if subject.model in options.subjects or not options.subjects]
        self.mix = Mix(subjects, self.numbers, stream, random.Random(options.seed))
        self.load = Load(self.door, self.mix, self.checker, options.rate)
        self.changes = Changes(self.door, self.checker, self.folder, options.seed, f"{stream}-changes")
        self.callers = Callers((stack.redis_url, stack.http_url), self.checker, self.numbers, subjects, CALLERS)
        self.stepped = [model for model in NAMES if model in options.subjects or not options.subjects]
        crowds = [Crowd(self.stepped, options.seed, count) for count in (WALKERS, CALLERS)]
        steps = f"{stream}-steps"
        self.stepping = Stepping(self.door, self.checker, self.numbers, steps, crowds[0])
        self.http_steps = HttpStepping(stack.http_url, self.checker, self.numbers, crowds[1])
        self.asking = (self.load, self.changes, self.callers, self.stepping, self.http_steps)
        self.decoder = Decoder(stack.redis_url, self.numbers)
        self.readers = [
            Reader(stack.redis_url, stream, self.heard),
            Reader(stack.redis_url, f"{stream}-changes", self.changes.heard),
            Reader(stack.redis_url, steps, self.heard),
            Reader(stack.redis_url, "scurry:dead", self.buried, trim=False),
        ]
        self.orphans: list[tuple[Callable[[Fields, float], None], Fields, float]] = []
        self.sampler = Sampler(stack)
        self.settling = False
        self.acting = Acting()
        self.watch = RestartWatch(stack, self.acting, self.checker.ledger, HARMLESS)
        draw = random.Random(options.seed)
        self.scene = Scene(
            stack, self.door, self.marks, self.checker, self.mix, draw, acting=self.acting, disk=disk
        )

    def heard(self, fields: Fields, at: float) -> None:
        """A reply arrived. One to an entry's own id may come before we know that id, and is looked at in the end."""
        seen = self.decoder.seen(fields, at)
        if seen.number < 0 and not self.settling:
            self.orphans.append((self.heard, fields, at))
        else:
            self.checker.replied(seen)

    def buried(self, fields: Fields, at: float) -> None:
        """A dead letter."""
        names = (fields.get(b"field:id", b""), fields.get(b"entry", b"").rpartition(b"/")[2])
        found = [self.numbers.number(name.decode(errors="replace")) for name in names]
        number = next((number for number in found if number is not None), None)
        if number is not None:
            self.checker.died(number, fields.get(b"cause", b"").decode(errors="replace"))
        elif not self.settling:
            self.orphans.append((self.buried, fields, at))

    def run(self) -> Ledger:
        """All of it."""
        asked = {*self.stepped, *(subject.model for subject in self.mix.subjects)}
        poisoning.plant(self.stack.redis_url)
        Registering(self.stack, self.timeline, self.folder, self.options.seed).all(asked - {MODEL})
        for thread in (*self.readers, self.marks, self.watch):
            thread.start()
        self.calibrate()
        for thread in self.asking:
            thread.start()
        if self.options.soak:
            self.sampler.start()
        self.break_things()
        if self.options.soak:
            self.sampler.stop()
            self.tell("\n".join(self.sampler.lines()))
        self.settle()
        return self.judge()

    def calibrate(self) -> None:
        """Without a rate given: half of what a closed loop of ours gets answered in some seconds."""
        for _ in range(3):
            self.changes.register()
            self.changes.point()
        if self.load.rate:
            return
        begin, before = time.monotonic(), self.checker.seen
        while time.monotonic() < begin + CALIBRATE_S:
            if self.checker.waiting < 400:
                self.load.send(50)
            else:
                time.sleep(0.001)
        capacity = (self.checker.seen - before) / (time.monotonic() - begin)
        self.load.rate = capacity / 2
        self.tell(f"capacity as we measure it {capacity:.0f}/s; the load is half of it")

    def break_things(self) -> None:
        """Each fault at its time, one line for each once it is over."""
        begin, threads = time.monotonic(), []
        seconds, names = self.options.minutes * 60, self.options.faults or tuple(FAULTS)
        for due in () if self.options.soak else schedule(self.options.seed, seconds, self.options.every, names):
            time.sleep(max(0.0, begin + due.at - time.monotonic()))
            threads.append(threading.Thread(target=self.fault, args=(due,), name=due.name))
            threads[-1].start()
        time.sleep(max(0.0, begin + seconds - time.monotonic()))
        for thread in threads:
            thread.join()

    def fault(self, due: Due) -> None:
        """Do it, and say what it did and how long nobody was answered."""
        begin = time.monotonic()
        self.acting.begin(due.name)
        self.checker.ledger.faults[due.name] += 1
        scene = replace(self.scene, random=random.Random(due.seed))
        try:
            told = FAULTS[due.name](scene)
        except Exception as failure:
            told = f"could not be done: {failure!r}"
            self.checker.ledger.wrong("not_back", f"{due.name} {told}")
        self.acting.end(due.name)
        seconds = time.monotonic() - begin
        self.tell(f"{due.at:7.1f} s  {due.name:<22} {told} ({seconds:.1f} s; {self.checker.waiting} wait)")

    def settle(self) -> None:
        """Ask no more, and wait for what is open."""
        for thread in self.asking:
            thread.stop()
        time.sleep(1)
        self.settling = True
        for take, fields, at in self.orphans:
            take(fields, at)
        end = time.monotonic() + SETTLE_S
        while self.checker.waiting and time.monotonic() < end:
            time.sleep(0.1)
        time.sleep(12)  # two checkpoints more: late duplicates would have come
        for thread in (*self.readers, self.marks, self.watch):
            thread.stop()
        failures = [t.failure for t in (*self.readers, *self.asking) if t.failure is not None]
        if failures:
            raise failures[0]

    def judge(self) -> Ledger:
        """Everything that can only be said at the end."""
        ledger, url = self.checker.finish(), self.stack.redis_url
        record = connect(url).hget("scurry:models", MODEL)
        differs = self.changes.mirror.differs(json.loads(record or "{}"))
        if differs:
            ledger.wrong("records_off", differs)
        kept = [Kept(self.numbers.id(number), version) for number, version in self.checker.kept(KEPT_S - 20)]
        ledger.told["kept results compared"] = str(check_results(url, kept, ledger))
        check_strangers(url, ledger)
        applied = self.changes.done + self.changes.broken
        check_audit(url, MODEL, applied, applied + self.changes.refused, ledger)
        check_in_flight(self.stack, ledger)
        check_drains(url, {*self.stepped, *(subject.model for subject in self.mix.subjects)}, ledger)
        self.tell_more(ledger)
        left = self.stack.stop()
        if left:
            ledger.wrong("left_behind", f"processes {left} after the end", len(left))
        return ledger

    def tell_more(self, ledger: Ledger) -> None:
        """Figures that may be anything."""
        ledger.told["longest time without an answer, s"] = f"{self.checker.longest_gap:.1f}"
        lateness = self.checker.lateness
        ledger.told["deadlines judged"] = str(lateness.judged)
        ledger.told["the latest of them told, s after it"] = f"{lateness.latest:.2f}"
        ledger.told["requests a second"] = f"{self.load.rate:.0f}"
        ledger.told["registry changes applied"] = str(self.changes.done)
        ledger.told["registry changes refused"] = str(self.changes.refused)
        ledger.told["job restarts by Flink"] = str(self.watch.restarts)
