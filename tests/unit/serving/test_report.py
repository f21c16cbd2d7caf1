"""`scurry.json` is true, also after a full disk."""

from __future__ import annotations

import asyncio
import errno
import os
from pathlib import Path
from typing import Any

import pytest

from scurry.serving import report as module
from scurry.serving.report import Report


class Folder:
    """Keeps what is written while there is room."""

    path = Path("/data")

    def __init__(self) -> None:
        self.has_room = True
        self.files: dict[str, Any] = {}

    def write(self, name: str, data: dict[str, Any]) -> None:
        if not self.has_room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self.files[name] = data


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Folder:
    """A directory with room, and no waiting."""
    monkeypatch.setattr(module, "RETRY_S", 0)
    return Folder()


async def test_the_facts_of_the_moment_are_written(folder: Folder) -> None:
    """With our own process."""
    facts = {"ready": False}
    report = Report(folder, lambda: facts)  # type: ignore[arg-type]
    report.write()
    facts["ready"] = True
    report.write()
    written = folder.files["scurry.json"]
    assert (written["pid"], written["ready"]) == (os.getpid(), True)
    assert "is written" in repr(report)


async def test_on_a_full_disk_it_is_written_once_there_is_room(folder: Folder, caplog) -> None:
    """The facts of that moment; said once, not at each try."""
    folder.has_room = False
    facts = {"restarts": 1}
    report = Report(folder, lambda: dict(facts))  # type: ignore[arg-type]
    report.write()
    report.write()
    assert "waits for room" in repr(report)
    facts["restarts"] = 2
    for _ in range(5):
        await asyncio.sleep(0)
    folder.has_room = True
    for _ in range(5):
        await asyncio.sleep(0)
    assert folder.files["scurry.json"]["restarts"] == 2
    assert sum("cannot be written" in record.message for record in caplog.records) == 1


async def test_stopped_it_tries_no_more(folder: Folder) -> None:
    """The directory is somebody else's by then."""
    folder.has_room = False
    report = Report(folder, dict)  # type: ignore[arg-type]
    report.write()
    report.stop()
    folder.has_room = True
    for _ in range(5):
        await asyncio.sleep(0)
    assert folder.files == {}
