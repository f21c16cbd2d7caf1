"""How far a fetch is."""

from __future__ import annotations

import logging

import pytest

from scurry.sources.progress import MIB, Progress
from scurry.wire.errors import Failed, Unavailable


def test_it_is_told_now_and_then(caplog):
    """Not for what takes a moment."""
    now = [0.0]
    progress = Progress("s3://b/m", 4 * MIB, 60, lambda: now[0])
    with caplog.at_level(logging.INFO):
        progress.set_size(None)
        progress.relative_update(MIB)
        assert not caplog.messages
        now[0] = 6.0
        progress.absolute_update(2 * MIB)
        progress.relative_update(MIB)
    assert caplog.messages == ["fetching s3://b/m: 2.0 of 4.0 MiB"]
    assert repr(progress) == "<Progress s3://b/m: 3,145,728 of 4,194,304 bytes>"


def test_more_than_was_listed_ends_it():
    """The disk takes no more than what room was made for."""
    progress = Progress("s3://b/m", 10, 60)
    progress.relative_update(10)
    with pytest.raises(Failed, match="more came than was listed"):
        progress.relative_update(1)


def test_a_worker_that_leaves_waits_for_nothing():
    """It may be tried again elsewhere."""
    progress = Progress("s3://b/m", 10, 60, leaving=lambda: True)
    with pytest.raises(Unavailable, match="about to leave"):
        progress.relative_update(1)


def test_too_long_ends_it():
    """However slowly it trickles."""
    now = [0.0]
    progress = Progress("s3://b/m", 10, 5, lambda: now[0])
    now[0] = 5.1
    with pytest.raises(Failed, match="took too long: 1 of 10 bytes came"):
        progress.relative_update(1)
