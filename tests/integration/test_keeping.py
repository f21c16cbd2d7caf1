"""A process is kept running, whatever dies and whatever is full."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.integration.test_processes import SLEEPER, eventually, is_alive, members

from scurry.serving import keeping
from scurry.serving.keeping import Keeper
from scurry.serving.processes import Child, Plan, StartFailed

Make = Callable[..., Keeper]


@pytest.fixture
async def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Make]:
    """Kept children by command, with short pauses; all are dead at the end."""
    monkeypatch.setattr(keeping, "BACK_OFF_S", (0.01, 0.02))
    made: list[Keeper] = []

    async def make(command: list[str], **options) -> Keeper:
        plan = Plan("child", command, tmp_path / "child.log", dict(os.environ), cure="Give it --luck.")
        made.append(Keeper(Child(plan), **options))
        await made[-1].child.start()
        made[-1].keep()
        return made[-1]

    yield make
    for one in made:
        await one.stop(5)


async def killed(keeper: Keeper) -> None:
    """Kill it and wait until another runs in its place."""
    before, first = keeper.restarts, keeper.child.pid
    os.kill(first, signal.SIGKILL)
    await eventually(lambda: keeper.restarts > before and keeper.child.pid not in (0, first))


async def test_a_child_that_dies_is_started_again(kept: Make) -> None:
    """After a pause, with another pid; not any more once it was stopped."""
    changes: list[int] = []
    keeper = await kept(SLEEPER, changed=lambda: changes.append(1))
    await killed(keeper)
    assert (keeper.restarts, keeper.state, len(changes)) == (1, "running", 2)
    assert "1 restarts" in repr(keeper)
    await keeper.stop(5)
    assert keeper.child.pid == 0


async def test_while_all_is_started_only_who_is_killed_is_started_again(tmp_path: Path) -> None:
    """Another's kill is no reason to give up; what ends by itself is for whoever waits for it to tell."""
    plan = Plan("child", SLEEPER, tmp_path / "child.log", dict(os.environ))
    keeper = Keeper(Child(plan))
    await keeper.child.start()
    keeper.begin()
    try:
        await killed(keeper)
        keeper.child.check_alive()
        pid, keeper.child.plan = keeper.child.pid, replace(plan, command=["false"])
        os.kill(pid, signal.SIGKILL)
        await eventually(lambda: keeper.child.exit_code == 1)
        with pytest.raises(StartFailed, match="child ended with"):
            keeper.child.check_alive()
        restarts, keeper.child.plan = keeper.restarts, plan
        await asyncio.sleep(0.5)
        assert keeper.restarts == restarts
        keeper.keep()
        await eventually(lambda: keeper.child.pid != 0)
    finally:
        await keeper.stop(5)


async def test_what_a_dead_child_leaves_behind_is_killed(kept: Make) -> None:
    """Before it is started again."""
    keeper = await kept(["/bin/sh", "-c", "sleep 60 & echo started; wait"])
    await eventually(lambda: "started" in keeper.child.said() and len(members(keeper.child.pid)) == 2)
    first = keeper.child.pid
    await killed(keeper)
    assert not any(map(is_alive, members(first)))


async def test_whatever_fails_on_the_way_it_is_restarted(kept: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """Writing about it, telling of it, starting it: a full disk ends nothing."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    keeper = await kept(SLEEPER, changed=full, tell=full)
    for _ in range(keeping.DEATHS_TOLD + 1):
        await killed(keeper)
    start = keeper.child.start
    monkeypatch.setattr(keeper.child, "start", full)
    os.kill(keeper.child.pid, signal.SIGKILL)
    await eventually(lambda: keeper.restarts > keeping.DEATHS_TOLD + 3)
    monkeypatch.setattr(keeper.child, "start", start)
    await eventually(lambda: keeper.child.pid)


async def test_without_room_for_a_log_it_runs_without_one(kept: Make) -> None:
    """Its answers are worth more than its words."""
    keeper = await kept(SLEEPER)
    keeper.child.plan.log.unlink()
    keeper.child.plan.log.mkdir()  # cannot be opened
    await killed(keeper)
    assert keeper.child.said() == ""


async def test_a_refusal_is_told_with_its_cure(kept: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its last words; it shows as refused, and is asked again after a long pause."""
    told: list[str] = []
    monkeypatch.setattr(keeping, "ROOM_BYTES", 0)
    keeper = await kept(["/bin/sh", "-c", "echo no such luck; exit 2"], tell=told.append)
    await eventually(lambda: told)
    assert "child ended with status 2" in told[0]
    assert "  no such luck\n  Give it --luck." in told[0]
    assert keeper.state == "refused"
    assert keeper._pause_after(2) == keeping.REFUSED_S
    assert (keeper.restarts, len(told)) == (0, 1)


async def test_a_refusal_on_a_full_disk_is_soon_tried_again(kept: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may be over as soon as there is space."""
    monkeypatch.setattr(keeping, "ROOM_BYTES", 1 << 62)
    keeper = await kept(["/bin/sh", "-c", "exit 2"], tell=lambda _: None)
    await eventually(lambda: keeper.restarts > 2)


async def test_what_dies_again_and_again_says_why(kept: Make) -> None:
    """Not at each death: its last words at every third."""
    told: list[str] = []
    keeper = await kept(["/bin/sh", "-c", "echo bad day; exit 1"], tell=told.append)
    await eventually(lambda: len(told) == 2)
    assert keeper.restarts >= 2 * keeping.DEATHS_TOLD - 1
    assert "  bad day" in told[0]
    assert "--luck" not in told[0]


async def test_pauses_grow_and_are_short_again_after_a_calm(kept: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first death costs least."""
    monkeypatch.setattr(keeping, "BACK_OFF_S", (0.2, 5.0))
    keeper = await kept(SLEEPER)
    assert [keeper._pause_after(1) for _ in range(7)] == [0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]
    keeper.child.started -= keeping.CALM_S + 1
    assert keeper._pause_after(-9) == 0.2
    await asyncio.sleep(0)
