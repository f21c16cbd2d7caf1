"""Which process listens on a port, as the kernel tells it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

PROC: Final = Path("/proc")
LISTEN: Final = "0A"


def listens(pid: int, port: int) -> bool | None:
    """Whether this very process listens on a port that others may share; None where that cannot be told."""
    try:
        listening = {inode for table in ("tcp", "tcp6") for inode in _listeners(PROC / "net" / table, port)}
        return any(inode in listening for inode in _sockets(PROC / str(pid) / "fd"))
    except FileNotFoundError:
        return False if PROC.joinpath("net/tcp").exists() else None
    except OSError:
        return None


def _listeners(table: Path, port: int) -> Iterator[str]:
    """Inodes of the sockets that listen on a port; a kernel without IPv6 has no table of it."""
    if table.name == "tcp6" and not table.exists():
        return
    for line in table.read_text().splitlines()[1:]:
        fields = line.split()
        if fields[3] == LISTEN and int(fields[1].rpartition(":")[2], 16) == port:
            yield fields[9]


def _sockets(folder: Path) -> Iterator[str]:
    """Inodes of a process' sockets."""
    for descriptor in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            link = str(descriptor.readlink())
            if link.startswith("socket:["):
                yield link[8:-1]
