"""Faults of processes: killed, or standing still."""

from __future__ import annotations

import os
import signal
import time

from tests.chaos.scene import WORKERS, Scene, await_back, running
from tests.chaos.stack import exists
from tests.chaos.storage import account


def kill(scene: Scene, *names: str) -> str:
    """SIGKILL processes of these names; `scurry up` must start them again."""
    before = running(scene, names)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    for name, pid in before.items():
        await_back(scene, name, pid)
    return "killed " + ", ".join(before)


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


def kill_up(scene: Scene) -> str:
    """`scurry up` itself: all it started goes with it, and a new one takes over."""
    with scene.door.held():
        killed = time.monotonic()
        left = scene.stack.kill()
        if left:
            scene.checker.ledger.wrong("left_behind", f"processes {left} outlived scurry up", len(left))
        scene.stack.start()
        return f"{account(scene, killed, 'everysec')}; ready again after {time.monotonic() - killed:.1f} s"
