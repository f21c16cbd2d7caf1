"""How long a fault waits for what it did to pass."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest
from tests.chaos import scene as module
from tests.chaos.ledger import Ledger
from tests.chaos.scene import Scene, await_back, running
from tests.chaos.watch import Acting


class Clock:
    """Passes when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """In place of the real one."""
    made = Clock()
    monkeypatch.setattr(module, "time", made)
    return made


@pytest.fixture
def scene(clock: Clock) -> Scene:
    """One in which a worker is back after two minutes."""
    stack = SimpleNamespace(pids=lambda: {"worker-0": 2} if clock.now >= 120 else {})
    made: Any = SimpleNamespace(stack=stack, acting=Acting(), checker=SimpleNamespace(ledger=Ledger()))
    return cast("Scene", made)


def test_what_is_not_back_in_time_counts(scene: Scene, clock: Clock) -> None:
    """After a minute."""
    assert running(scene, ["worker-0"]) == {}
    assert clock.now == pytest.approx(module.BACK_S, abs=0.2)
    assert scene.checker.ledger.wrongs == {"not_back": 1}


def test_while_all_is_started_again_no_time_passes(scene: Scene, clock: Clock) -> None:
    """Whoever killed `scurry up` counts its absence."""
    scene.acting.begin("kill-up")
    await_back(scene, "worker-0", 1)
    assert running(scene, ["worker-0"]) == {"worker-0": 2}
    assert clock.now == pytest.approx(120, abs=0.2)
    assert scene.checker.ledger.wrongs == {}
