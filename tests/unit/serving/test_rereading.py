"""Files that are read again."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from scurry.serving import rereading
from scurry.serving.rereading import Rereading, look_for_ever


def test_a_file_is_read_when_it_is_another(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """By its time, its size, or what a link leads to; not when nothing changed, and once when it is broken."""
    path, reads = tmp_path / "a", []
    path.write_text("1")

    def read() -> None:
        reads.append(path.read_text())
        if reads[-1] == "broken":
            raise ValueError("nobody can read this")

    one = Rereading("keys", [path], read)
    assert not one.look()
    path.write_text("22")
    assert one.look()
    assert not one.look()
    (tmp_path / "b").write_text("broken")
    path.unlink()
    path.symlink_to(tmp_path / "b")
    assert not one.look()
    assert not one.look()
    assert reads == ["22", "broken"]
    assert [record.getMessage() for record in caplog.records if record.levelname == "WARNING"] == [
        "keys cannot be read, those of before hold on: nobody can read this"
    ]
    path.unlink()
    assert not one.look()  # a file that is gone is no file that is empty
    assert reads == ["22", "broken"]


async def test_all_of_them_are_looked_at_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Off the loop; without any, nothing is done."""
    monkeypatch.setattr(rereading, "LOOK_S", 0.01)
    path, reads = tmp_path / "a", []
    path.write_text("1")
    looking = asyncio.create_task(look_for_ever([Rereading("keys", [path], lambda: reads.append(path.read_text()))]))
    for number in range(2):
        path.write_text("x" * (number + 2))
        os.utime(path, (number, number))
        while len(reads) <= number:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    looking.cancel()
    await asyncio.wait_for(look_for_ever([]), 1)
