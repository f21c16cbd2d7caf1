"""Growth of the resident memory."""

from __future__ import annotations

from scurry.runtimes.memory import Growth, resident_bytes


def test_growth_is_seen():
    """What a block leaves behind is counted."""
    with Growth() as growth:
        kept = bytearray(b"x") * (32 << 20)
    assert len(kept) // 2 < growth.bytes < len(kept) * 2
    assert resident_bytes() > growth.bytes


def test_overlapping_blocks_know_that_they_are_blurred():
    """Neither of two overlapping blocks claims to have measured."""
    with Growth() as outer, Growth() as inner:
        kept = bytearray(b"x") * (8 << 20)
    assert (outer.bytes, inner.bytes, len(kept)) == (0, 0, 8 << 20)
