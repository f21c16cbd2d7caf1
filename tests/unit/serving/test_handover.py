"""Which streams are bound, as the registry shows it."""

from __future__ import annotations

from scurry.serving.handover import MOST_BYTES, MOST_ENTRIES, Bound, bound_streams, command
from scurry.wire.names import Keys


def test_every_model_has_its_streams() -> None:
    """Where two seem to have one, for a moment, the first by name has it; none of our own is read."""
    records = {
        "b": {"streams": {"s": {}, "t": {"batched": True}}}, "a": {"streams": {"s": {"batched": False}}}, "old": {},
        "c": {"streams": {"scurry:requests": {}, "scurry:bulk": {}, "scurryish": {}}},
    }  # fmt: skip
    assert bound_streams(records, Keys()) == {
        "s": Bound("s", "a"), "t": Bound("t", "b", batched=True), "scurryish": Bound("scurryish", "c"),
    }  # fmt: skip


def test_a_command_names_both_streams_as_keys() -> None:
    """So that Redis' ACLs and a cluster know what the script touches."""
    words = command(Bound("s", "m", batched=True), Keys("{ns}"))
    assert (words[0], *words[2:]) == (
        "EVAL", 3, "s", "{ns}:bulk", "{ns}:answered", "m", "1", MOST_ENTRIES, MOST_BYTES,
    )  # fmt: skip
    assert command(Bound("s", "m"), Keys(), 7)[-2:] == (7, MOST_BYTES)
