"""A supervised process, with real children."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from scurry.serving.processes import Child, Plan, StartFailed

SLEEPER = ["/bin/sh", "-c", "echo started; exec sleep 60"]
STUBBORN = ["/bin/sh", "-c", "trap '' TERM; echo started; sleep 60 & wait; sleep 60"]


@pytest.fixture
def child(tmp_path: Path) -> Callable[..., Child]:
    """Children by command; all are dead at the end."""
    made: list[Child] = []

    def make(command: list[str]) -> Child:
        made.append(Child(Plan(f"child-{len(made)}", command, tmp_path / f"{len(made)}.log", dict(os.environ))))
        return made[-1]

    yield make
    for one in made:
        one.kill()


async def eventually(check: Callable[[], object]) -> None:
    """Return when it holds; fail after 10 s."""
    for _ in range(1000):
        if check():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it did not come about within 10 s")


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def members(group: int) -> list[int]:
    """Processes of a group."""
    stats = {path.parent.name: path.read_text() for path in Path("/proc").glob("[0-9]*/stat")}
    return [int(pid) for pid, stat in stats.items() if stat.rpartition(")")[2].split()[2] == str(group)]


@pytest.mark.parametrize("session", [False, True])
async def test_a_child_has_a_group_of_its_own_and_a_session_if_told(tmp_path, session):
    """So that it is stopped with all it started."""
    one = Child(Plan("one", SLEEPER, tmp_path / "one.log", dict(os.environ), session=session))
    await one.start()
    try:
        assert os.getpgid(one.pid) == one.pid
        assert os.getsid(one.pid) == (one.pid if session else os.getsid(0))
    finally:
        await one.stop(5)


async def test_what_a_child_says_is_in_its_log(child):
    """From this start on, not from those before."""
    one = child(SLEEPER)
    await one.start()
    await eventually(lambda: one.said() == "started\n")
    await one.stop(5)
    await one.start()
    await eventually(lambda: one.said() == "started\n")
    assert one.plan.log.read_text() == "started\nstarted\n"
    await one.stop(5)


async def test_a_child_that_ignores_sigterm_is_killed_with_its_children(child):
    """Nothing of its process group is left."""
    one = child(STUBBORN)
    await one.start()
    await eventually(lambda: "started" in one.said())
    group = members(one.pid)
    await one.stop(0.1)
    await eventually(lambda: not any(is_alive(pid) for pid in group))
    assert one.exit_code == -signal.SIGKILL


async def test_a_child_that_ends_at_once_is_a_failed_start(child):
    """The sentence has its status, its log and its last words."""
    one = child(["/bin/sh", "-c", "echo no such luck; exit 3"])
    await one.start()
    await eventually(lambda: one.exit_code is not None)
    with pytest.raises(StartFailed, match=r"child-0 ended with status 3; .*0\.log ends:\n  no such luck"):
        one.check_alive()


async def test_what_cannot_be_executed_is_a_failed_start(child):
    """Not a traceback."""
    with pytest.raises(StartFailed, match="child-0 cannot be started"):
        await child(["/does/not/exist"]).start()


def test_a_child_does_not_outlive_a_killed_parent(tmp_path):
    """SIGKILL leaves the parent no time to stop anybody: the kernel does it."""
    script = f"""
import asyncio, sys
from pathlib import Path
from scurry.serving.processes import Child, Plan
async def main():
    child = Child(Plan("c", ["/bin/sleep", "60"], Path({str(tmp_path / "c.log")!r})))
    await child.start()
    print(child.pid, flush=True)
    await asyncio.sleep(60)
asyncio.run(main())
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    asyncio.run(eventually(lambda: not is_alive(pid)))
