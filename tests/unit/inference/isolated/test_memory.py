"""Memory that one end writes and the other reads."""

from __future__ import annotations

import os

import numpy as np
import pytest

from scurry.inference.isolated.memory import LEAST_BYTES, MOST_BYTES, Incoming, Outgoing, padded


def passed(outgoing: Outgoing, incoming: Incoming, *parts: bytes, kept: bool = False) -> memoryview:
    """What is read of what is written."""
    size = sum(padded(len(part)) for part in parts)
    file = outgoing.put(parts, size, kept=kept)
    try:
        return incoming.take(file, size)
    finally:
        if file >= 0:
            os.close(file)


def test_arrays_lie_one_after_the_other():
    """Each where an array may begin."""
    found = passed(Outgoing(), Incoming(), b"abc", b"x" * 64, b"z")
    assert (bytes(found[:3]), bytes(found[64:128]), bytes(found[128:129])) == (b"abc", b"x" * 64, b"z")


def test_what_is_referred_to_is_known():
    """Also through an array of a part of it."""
    outgoing, incoming = Outgoing(), Incoming()
    assert not incoming.is_kept()
    found = passed(outgoing, incoming, b"abc")
    assert incoming.is_kept()
    part = np.frombuffer(found[1:2], np.uint8)
    del found
    assert incoming.is_kept()
    other = passed(outgoing, incoming, b"xyz", kept=True)
    assert (part[0], bytes(other[:3])) == (ord("b"), b"xyz")
    del other
    assert not incoming.is_kept()


def test_it_grows_and_the_largest_is_not_held():
    """What is large goes with its message."""
    outgoing, incoming = Outgoing(), Incoming()
    passed(outgoing, incoming, b"a")
    assert len(outgoing._memory) == LEAST_BYTES
    passed(outgoing, incoming, b"a" * (LEAST_BYTES + 1))
    assert len(outgoing._memory) == 2 * LEAST_BYTES
    assert bytes(passed(outgoing, incoming, b"z" * (MOST_BYTES + 1))[-64:-62]) != b""
    assert (outgoing._memory, incoming._memory) == (None, None)


def test_memory_that_may_vanish_is_not_read():
    """Nor what does not fit, nor what never came."""
    incoming, file = Incoming(), os.memfd_create("open")
    os.truncate(file, LEAST_BYTES)
    with pytest.raises(ValueError, match="may vanish"):
        incoming.take(file, 1)
    os.close(file)
    with pytest.raises(ValueError, match="no memory of that size"):
        incoming.take(-1, 1)
    outgoing = Outgoing()
    file = outgoing.put([b"a"], 64, kept=False)
    with pytest.raises(OSError, match="not permitted"):
        os.truncate(file, 1)
    with pytest.raises(ValueError, match="no memory of that size"):
        incoming.take(file, LEAST_BYTES + 1)
    os.close(file)
