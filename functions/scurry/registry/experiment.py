"""Which experiment a split is part of: the salt of its hashes.

A version that gets a share begins another one, so that not always the same callers are the first. While shares only
grow or shrink, and when the split before comes back, it stays: whoever was with a version stays with it.
"""

from __future__ import annotations

from scurry.wire.messages_pb2 import Record


def settle(before: Record, record: Record) -> None:
    """Number the experiment by the change that began it."""
    having, last = set(record.weights), before.former[-1].weights if before.former else before.previous
    if not (having <= set(before.weights) or having <= set(last)):
        record.experiment = record.sequence
