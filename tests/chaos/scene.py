"""What a fault can lay hands on, and what it waits for."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import redis
from tests.chaos.checker import Checker
from tests.chaos.door import BROKEN, Door, Marks, connect
from tests.chaos.mix import Mix
from tests.chaos.stack import Stack
from tests.chaos.watch import Acting

BACK_S = 60.0
LONGEST_STOP_S = 30.0
WORKERS = ("worker-0", "worker-1")


@dataclass(slots=True)
class Scene:
    """What a fault can lay hands on."""

    stack: Stack
    door: Door
    marks: Marks
    checker: Checker
    mix: Mix
    random: random.Random
    longest_stop_s: float = LONGEST_STOP_S
    acting: Acting = field(default_factory=Acting)
    disk: Path | None = None  # a file system of its own that holds the data directory


Fault = Callable[[Scene], str]
Told = TypeVar("Told")


def looks(scene: Scene, pause_s: float) -> Iterator[None]:
    """So many looks as there is patience for; time in which `scurry up` itself is started again does not count."""
    left, before = BACK_S, time.monotonic()
    while left > 0:
        yield
        time.sleep(pause_s)
        now = time.monotonic()
        if "kill-up" not in scene.acting.begun:
            left -= now - before
        before = now


def running(scene: Scene, names: Sequence[str]) -> dict[str, int]:
    """The processes of these names, once all run: another fault may just have ended one."""
    for _ in looks(scene, 0.1):
        found = {name: pid for name, pid in scene.stack.pids().items() if name in names}
        if len(found) == len(names):
            return found
    scene.checker.ledger.wrong("not_back", f"{', '.join(names)} did not run within {BACK_S:g} s")
    return {}


def await_back(scene: Scene, name: str, old: int) -> None:
    """Return once another process of that name runs; count it when it does not."""
    for _ in looks(scene, 0.05):
        if scene.stack.pids().get(name, old) != old:
            return
    scene.checker.ledger.wrong("not_back", f"{name} was not started again within {BACK_S:g} s")


def on_redis(scene: Scene, act: Callable[[redis.Redis], Told]) -> Told:
    """Do something on Redis, again if another fault cuts it off, stops it or ends it meanwhile."""
    for _ in looks(scene, 0):
        await_redis(scene)
        with contextlib.suppress(*BROKEN, redis.BusyLoadingError):
            return act(connect(scene.stack.redis_url))
    return act(connect(scene.stack.redis_url))


def await_redis(scene: Scene) -> None:
    """Return once Redis answers; count it when it does not."""
    for _ in looks(scene, 0.05):
        with contextlib.suppress(redis.RedisError):
            if connect(scene.stack.redis_url).ping():
                return
    scene.checker.ledger.wrong("not_back", f"Redis did not answer within {BACK_S:g} s")
