"""Bounds on what a caller may send."""

import pytest

from scurry.wire.limits import ERROR_BYTES, shortened


@pytest.mark.parametrize("sentence", ["", "Short.", "é" * 5000, "x" * ERROR_BYTES, "x" * (ERROR_BYTES + 1), "\ud800"])
def test_sentences_leave_as_text_within_their_bound(sentence):
    """What is longer is cut between letters and says so; what is no text is made text."""
    short = shortened(sentence)
    assert len(short.encode()) <= ERROR_BYTES
    if len(sentence.encode(errors="replace")) > ERROR_BYTES:
        assert short.endswith("…")
        assert sentence.startswith(short[:-1])
    else:
        assert short == sentence.replace("\ud800", "?")
