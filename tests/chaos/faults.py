"""What is done to the system, each fault a function of a scene that returns what it did in a few words."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import redis
from tests.chaos.checker import Checker
from tests.chaos.door import Door, Marks, connect
from tests.chaos.stack import Stack, exists

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
    random: random.Random
    longest_stop_s: float = LONGEST_STOP_S
    disk: Path | None = None  # a file system of its own that holds the data directory
    notes: list[str] = field(default_factory=list)


Fault = Callable[[Scene], str]


def kill(scene: Scene, *names: str) -> str:
    """SIGKILL processes of these names; `scurry up` must start them again."""
    before = running(scene, names)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in before.items():
        await_back(scene, name, pid)
    return "killed " + ", ".join(before)


def running(scene: Scene, names: Sequence[str]) -> dict[str, int]:
    """The processes of these names, once all run: another fault may just have ended one."""
    end = time.monotonic() + BACK_S
    while time.monotonic() < end:
        found = {name: pid for name, pid in scene.stack.pids().items() if name in names}
        if len(found) == len(names):
            return found
        time.sleep(0.1)
    scene.checker.ledger.wrong("not_back", f"{', '.join(names)} did not run within {BACK_S:g} s")
    return {}


def await_back(scene: Scene, name: str, old: int) -> None:
    """Return once another process of that name runs; count it when it does not."""
    end = time.monotonic() + BACK_S
    while time.monotonic() < end:
        if scene.stack.pids().get(name, old) != old:
            return
        time.sleep(0.05)
    scene.checker.ledger.wrong("not_back", f"{name} was not started again within {BACK_S:g} s")


def kill_worker(scene: Scene) -> str:
    """One worker."""
    return kill(scene, scene.random.choice(WORKERS))


def kill_workers(scene: Scene) -> str:
    """All workers at once."""
    return kill(scene, *WORKERS)


def kill_functions(scene: Scene) -> str:
    """Router and registry."""
    return kill(scene, "functions")


def kill_job(scene: Scene) -> str:
    """Java."""
    return kill(scene, "job")


def kill_gateway(scene: Scene) -> str:
    """The doors."""
    return kill(scene, "gateway")


def stop(scene: Scene, name: str) -> str:
    """SIGSTOP, and SIGCONT after a while."""
    pid = running(scene, [name]).get(name)
    if pid is None:
        return f"{name} does not run"
    seconds = scene.random.uniform(1, scene.longest_stop_s)
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    if exists(pid):
        os.kill(pid, signal.SIGCONT)
    return f"{name} stood still for {seconds:.0f} s"


def stop_any(scene: Scene) -> str:
    """One process, whichever."""
    return stop(scene, scene.random.choice(["up", "redis", "functions", "job", "gateway", *WORKERS]))


def stop_worker(scene: Scene) -> str:
    """A hung worker."""
    return stop(scene, scene.random.choice(WORKERS))


def kill_redis(scene: Scene) -> str:
    """Redis as it is set up: what its append-only file did not get yet is gone, and nothing else."""
    return _kill_redis(scene, always=False)


def kill_redis_always(scene: Scene) -> str:
    """Redis with every write on disk before it is acknowledged: nothing is gone."""
    return _kill_redis(scene, always=True)


def _kill_redis(scene: Scene, *, always: bool) -> str:
    if always:
        await_redis(scene)
        connect(scene.stack.redis_url).config_set("appendfsync", "always")
        time.sleep(2)
    with scene.door.held():
        pid = running(scene, ["redis"]).get("redis")
        if pid is None:
            return "redis does not run"
        killed = time.monotonic()
        os.kill(pid, signal.SIGKILL)
        await_back(scene, "redis", pid)
        return account(scene, killed, "nothing" if always else "everysec")


def account(scene: Scene, killed: float, promised: str) -> str:
    """Tell the checker exactly what Redis lost; the door is held meanwhile."""
    await_redis(scene)
    link = connect(scene.stack.redis_url)
    try:
        last = link.xinfo_stream("scurry:requests")["last-generated-id"].decode()
    except redis.ResponseError:
        last = "0-0"
    gone = scene.checker.entries_after(last)
    since = scene.marks.kept_until(scene.stack.redis_url)
    if not gone and since is None:
        return "Redis lost nothing"
    since = killed if since is None else since
    if promised == "nothing":
        scene.checker.ledger.wrong("redis_broke", f"{len(gone)} entries, from {killed - since:.2f} s before")
    scene.checker.redis_lost(since, killed, gone)
    return f"Redis lost its last {killed - since:.2f} s, {len(gone)} of our entries among it"


def await_redis(scene: Scene) -> None:
    """Return once Redis answers; count it when it does not."""
    end = time.monotonic() + BACK_S
    while time.monotonic() < end:
        try:
            if connect(scene.stack.redis_url).ping():
                return
        except redis.RedisError:
            time.sleep(0.05)
    scene.checker.ledger.wrong("not_back", f"Redis did not answer within {BACK_S:g} s")


def kill_up(scene: Scene) -> str:
    """`scurry up` itself: all it started goes with it, and a new one takes over."""
    with scene.door.held():
        killed = time.monotonic()
        left = scene.stack.kill()
        if left:
            scene.checker.ledger.wrong("left_behind", f"processes {left} outlived scurry up", len(left))
        scene.stack.start()
        return f"{account(scene, killed, 'everysec')}; ready again after {time.monotonic() - killed:.1f} s"
