"""What one is told that takes too long."""

from __future__ import annotations

from scurry.gateway.doors import patience


def test_the_sentence_says_what_did_not_come_and_how_long_it_was_waited_for() -> None:
    """With the code of every mistake of a caller's."""
    cause = patience.late("body", 2.5)
    assert cause.code == "bad_request"
    assert cause.message == "The request's body did not arrive within 2.5 s."
