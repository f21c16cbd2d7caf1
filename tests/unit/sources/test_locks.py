"""Locks on directories."""

from __future__ import annotations

import os
import threading

from scurry.sources.locks import ALONE, SHARED, alone, hold, share


def test_one_alone_or_several_together(tmp_path):
    """Until it is closed; also between threads of one process."""
    first = hold(tmp_path, ALONE)
    assert first is not None
    assert hold(tmp_path, SHARED) is None
    share(first)
    second = hold(tmp_path, SHARED)
    assert second is not None
    assert hold(tmp_path, ALONE) is None
    os.close(first)
    os.close(second)
    last = hold(tmp_path, ALONE)
    assert last is not None
    os.close(last)


def test_what_is_gone_cannot_be_held(tmp_path):
    """Nor what was put in its place meanwhile: whoever waited gets nothing."""
    path = tmp_path / "a"
    assert hold(path, SHARED) is None
    path.mkdir()
    holder, got = hold(path, ALONE), []
    waiting = threading.Thread(target=lambda: got.append(hold(path, SHARED, wait=True)))
    waiting.start()
    path.rename(tmp_path / "b")
    path.mkdir()
    os.close(holder)
    waiting.join(10)
    # It either opened the old one, which is nobody's, or the new one, if it began late.
    assert got == [None] or os.path.samestat(os.fstat(got[0]), path.stat())
    for each in got:
        if each is not None:
            os.close(each)


def test_alone_waits_and_lets_go(tmp_path):
    """Also when what was done fails."""
    try:
        with alone(tmp_path):
            assert hold(tmp_path, SHARED) is None
            raise KeyError
    except KeyError:
        pass
    handle = hold(tmp_path, ALONE)
    assert handle is not None
    os.close(handle)
