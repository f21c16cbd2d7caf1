"""Which regions of shared memory are registered: here or in a folder.

Each region is one file of the folder, so that processes need not agree on anything else.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from scurry.gateway.shared_memory import Region


class OwnNotes:
    """The regions of one process."""

    def __init__(self) -> None:
        self._regions: dict[str, Region] = {}

    def put(self, region: Region) -> bool:
        """Keep a region; False when there is one of its name."""
        return self._regions.setdefault(region.name, region) is region

    def get(self, name: str) -> Region | None:
        """The region of a name."""
        return self._regions.get(name)

    def drop(self, name: str) -> None:
        """Forget a region, if there is one."""
        self._regions.pop(name, None)

    def names(self) -> list[str]:
        """The names of all regions, in their order."""
        return sorted(self._regions)

    def __repr__(self) -> str:
        return f"<OwnNotes of {len(self._regions)} regions>"


class FolderNotes:
    """The regions of all processes that read one folder. Raises `OSError` when it cannot be ours alone."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
        if found.st_uid != os.geteuid() or found.st_mode & 0o077 or folder.is_symlink():
            raise PermissionError(f"{folder} is not ours alone")
        self._folder = folder

    def put(self, region: Region) -> bool:
        """Keep a region; False when there is one of its name."""
        path = self._path(region.name)
        draft = path.with_name(f".{os.getpid()}")
        draft.write_text(json.dumps(region))
        try:
            os.link(draft, path)  # whole, or not at all
        except FileExistsError:
            return False
        finally:
            draft.unlink()
        return True

    def get(self, name: str) -> Region | None:
        """The region of a name."""
        try:
            return Region(*json.loads(self._path(name).read_text()))
        except FileNotFoundError:
            return None

    def drop(self, name: str) -> None:
        """Forget a region, if there is one."""
        self._path(name).unlink(missing_ok=True)

    def names(self) -> list[str]:
        """The names of all regions, in their order."""
        return sorted(self._names())

    def _names(self) -> Iterator[str]:
        for path in self._folder.glob("[!.]*"):
            with contextlib.suppress(FileNotFoundError):
                yield json.loads(path.read_text())[0]

    def _path(self, name: str) -> Path:
        return self._folder / blake2b(name.encode(errors="surrogateescape"), digest_size=16).hexdigest()

    def __repr__(self) -> str:
        return f"<FolderNotes in {self._folder}>"


def notes_of(parent: Path, port: int) -> FolderNotes:
    """The notes of the gateways at a port that were started by one process, as those of `scurry up` are.

    What those whose starter has ended left behind is removed. Raises `OSError`.
    """
    ours, prefix = os.getppid(), f"scurry-{os.geteuid()}-regions-"
    for folder in parent.glob(f"{prefix}*"):
        starter = folder.name.removeprefix(prefix).partition("-")[0]
        if starter.isdecimal() and int(starter) != ours and not _lives(int(starter)):
            shutil.rmtree(folder, ignore_errors=True)
    return FolderNotes(parent / f"{prefix}{ours}-{port}")


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
