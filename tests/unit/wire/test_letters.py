"""Dead letters for what nobody can read."""

from __future__ import annotations

from scurry.wire.letters import KEPT_BYTES, unreadable


def test_a_letter_has_what_came_and_why_it_lies_there() -> None:
    """Type and bytes, up to a limit, and a cause of bounded length."""
    letter = unreadable("m", "scurry.v1/Update", b"\xff" * 100_000, "bad_request: " + "x" * 5000)
    assert (letter.fields["model"], letter.fields["type"]) == (b"m", b"scurry.v1/Update")
    assert letter.fields["value"] == b"\xff" * KEPT_BYTES
    assert len(letter.cause.encode()) == 1024
    assert not letter.HasField("request")
