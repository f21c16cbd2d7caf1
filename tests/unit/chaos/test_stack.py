"""How the system under fire is started again."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.chaos import stack as module
from tests.chaos.stack import NotReady, Stack

FULL = "echo 'scurry: The disk is full: No space left on device.'; exit 1"


class Told(Stack):
    """Its addresses lie in no file."""

    @property
    def info(self) -> dict[str, Any]:
        return {"redis_url": "redis://r", "http_url": "http://h"}


@pytest.fixture
def scripts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What runs in place of `scurry up`, one start after the other."""
    left: list[str] = []
    run: Callable[..., subprocess.Popen[str]] = subprocess.Popen

    def popen(_: list[str], **options: Any) -> subprocess.Popen[str]:
        return run(["/bin/sh", "-c", left.pop(0)], **options)

    monkeypatch.setattr(module.subprocess, "Popen", popen)
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    return left


def test_a_start_on_a_full_disk_is_made_again(scripts: list[str], tmp_path: Path) -> None:
    """Until there is room."""
    scripts += [FULL, FULL, "echo scurry is ready"]
    stack = Told(tmp_path)
    assert (scripts, stack.redis_url) == ([], "redis://r")
    assert stack.process.wait(5) == 0


def test_any_other_end_is_told(scripts: list[str], tmp_path: Path) -> None:
    """With what it said last, and not tried again."""
    scripts += [FULL, "echo scurry: no luck; exit 1", "echo scurry is ready"]
    with pytest.raises(NotReady, match=r"did not get ready:\nscurry: no luck\n$"):
        Told(tmp_path)
    assert len(scripts) == 1
