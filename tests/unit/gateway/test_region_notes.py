"""Where it is kept what is registered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from scurry.gateway.region_notes import FolderNotes, OwnNotes, notes_of
from scurry.gateway.shared_memory import Notes, Region

NAMES = [".hidden", "a b", "ümlaut", "x" * 255, "per%cent"]


@pytest.mark.parametrize("kind", ["own", "folder"])
def test_regions_are_kept_by_name(tmp_path: Path, kind: str) -> None:
    """Whatever the name is made of; the first of a name stays."""
    notes: Notes = OwnNotes() if kind == "own" else FolderNotes(tmp_path / "notes")
    for at, name in enumerate(NAMES):
        assert notes.put(Region(name, "/k", at, 1, 7))
        assert not notes.put(Region(name, "/other", at, 1, 7))
        assert notes.get(name) == Region(name, "/k", at, 1, 7)
    assert notes.names() == sorted(NAMES)
    notes.drop("a b")
    notes.drop("a b")
    assert notes.get("a b") is None
    assert len(notes.names()) == len(NAMES) - 1


def test_a_folder_that_others_can_open_is_none(tmp_path: Path) -> None:
    """They could tell us what to read and write."""
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "ours").mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(tmp_path / "ours")
    for name in ("open", "link"):
        with pytest.raises(PermissionError, match="not ours alone"):
            FolderNotes(tmp_path / name)


def test_gateways_of_one_starter_share_and_what_the_dead_left_goes(tmp_path: Path) -> None:
    """Those of another starter that lives keep theirs."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    prefix = f"scurry-{os.geteuid()}-regions-"
    dead, alive = tmp_path / f"{prefix}{ended.pid}-8000", tmp_path / f"{prefix}{os.getpid()}-8000"
    for folder in (dead, alive):
        folder.mkdir(mode=0o700)
    notes_of(tmp_path, 8000).put(Region("r", "/k", 0, 1, 7))
    assert notes_of(tmp_path, 8000).names() == ["r"]
    assert notes_of(tmp_path, 8001).names() == []
    assert (dead.exists(), alive.exists()) == (False, True)
