"""Locks on directories, between processes and between threads.

The kernel lets them go with whoever held them, so that a crash leaves none. They are advisory and need a file system
of this machine.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHARED: Final = fcntl.LOCK_SH
ALONE: Final = fcntl.LOCK_EX


def hold(path: Path, how: int, *, wait: bool = False) -> int | None:
    """An open lock on a directory, to be closed; None when others hold it, or when it is not there any more."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, how if wait else how | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(handle), path.stat()):
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    except BaseException:
        os.close(handle)
        raise
    os.close(handle)
    return None


def share(handle: int) -> None:
    """Let others hold it too."""
    fcntl.flock(handle, SHARED)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Hold a directory that nobody removes, however long it takes to get."""
    handle = hold(path, ALONE, wait=True)
    try:
        yield
    finally:
        if handle is not None:
            os.close(handle)
