"""What a killed `scurry up` has left is ended, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from scurry.serving import leftovers

Start = Callable[[str], subprocess.Popen[bytes]]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts shells in process groups of their own, as `scurry up` does; all are dead at the end."""
    made: list[subprocess.Popen[bytes]] = []

    def one(script: str) -> subprocess.Popen[bytes]:
        made.append(subprocess.Popen(["/bin/sh", "-c", script], stdout=subprocess.PIPE, process_group=0))
        assert made[-1].stdout
        made[-1].stdout.readline()
        return made[-1]

    yield one
    for each in made:
        leftovers.end({"it": written(each.pid)})
        each.kill()
        each.wait(5)
        assert each.stdout
        each.stdout.close()


def written(pid: int) -> dict[str, object]:
    """As `scurry.json` has it."""
    return {"pid": pid, "born": leftovers.born(pid)}


TREE = "echo; sleep 60 & sleep 60 & wait"


def test_a_process_is_ended_with_all_it_started(start: Start) -> None:
    """Recognised by its number and its birth."""
    one = start(TREE)
    assert leftovers.end({"worker-0": written(one.pid)}) == 3
    assert one.wait(5) == -9
    assert leftovers.find({"worker-0": {"pid": one.pid, "born": leftovers.born(one.pid) or "b:1"}}) == []


def test_what_an_ended_process_started_is_found(start: Start) -> None:
    """Its leader is gone; the group still has its number."""
    one = start("echo; sleep 60 & exit")
    note = written(one.pid)
    one.wait(5)
    assert leftovers.end({"worker-0": note}) == 1


def test_another_process_with_that_number_is_left_alone(start: Start) -> None:
    """It was born at another time, or nobody wrote down when."""
    one = start(TREE)
    birth = leftovers.born(one.pid)
    boot, _, ticks = birth.rpartition(":")
    for other in (f"{boot}:{int(ticks) - 1}", f"{boot}:{int(ticks) + 1}", f"other:{ticks}", "", None, 7):
        assert leftovers.find({"worker-0": {"pid": one.pid, "born": other}}) == []
    assert leftovers.end({"a": {"pid": 0, "born": "x:1"}, "b": "nonsense", "c": {"pid": "1"}}) == 0
    assert one.poll() is None


def test_a_younger_leader_took_the_number(start: Start) -> None:
    """What such a group started is not ours either."""
    one = start("echo; sleep 60 & exit")
    boot, _, ticks = leftovers.born(one.pid).rpartition(":")
    one.wait(5)
    assert leftovers.find({"worker-0": {"pid": one.pid, "born": f"{boot}:{int(ticks) + 10**9}"}}) == []
    assert leftovers.find({"worker-0": {"pid": one.pid, "born": f"other:{ticks}"}}) == []
    assert leftovers.end({"worker-0": {"pid": one.pid, "born": f"{boot}:{ticks}"}}) == 1


def test_nobody_has_no_birth() -> None:
    """A number without a process."""
    assert leftovers.born(2**22 + 1) == ""
