"""Texts, and what is sent as text."""

import base64

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.transforms.specs import Unusable
from scurry.transforms.texts import LETTERS, Lookup, Text, from_base64


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_base64_comes_back_as_it_was(raw):
    """With line breaks or without."""
    assert from_base64(base64.b64encode(raw)) == from_base64(base64.encodebytes(raw)) == raw
    assert not base64.b64encode(raw).rstrip(b"=").translate(None, LETTERS)


@pytest.mark.parametrize("sent", [b"YQ", b"Y Q==", b"YQ==YQ==", b"\xff\xd8\xff", b"YQ=", b"-_=="])
def test_what_is_no_base64_is_said_to_be_none(sent):
    """Strictly: half of what was sent is nobody's wish."""
    with pytest.raises(Unusable, match="is no base64"):
        from_base64(sent)


def test_texts_are_brought_to_a_normal_form():
    """Compatibility forms, lower case, no white space around: each only where it is asked for."""
    sent = (" Ｈｅｌｌｏ ﬁ\n".encode(),)  # full-width letters and a ligature
    assert Text().row(sent) == " Ｈｅｌｌｏ ﬁ\n"
    assert Text(normalize="NFKC", lower=True, strip=True).row(sent) == "hello fi"
    assert Text(base64=True).row((base64.b64encode("ä".encode()),)) == "ä"
    assert Text(normalize="NFD").row(("ä".encode(),)) == "a\u0308"


def test_what_is_no_text_is_unusable():
    """Bytes that are not UTF-8."""
    with pytest.raises(Unusable, match="is no UTF-8 text"):
        Text().row((b"\xff",))


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "zzz"]), max_size=8), st.integers(1, 6))
def test_tokens_are_numbers_of_one_length(tokens, length):
    """Cut off or padded; what is unknown has a number of its own."""
    ids = {"a": 0, "b": 1, "c": 2}
    lookup = Lookup(Text(lower=True), ids, length, 7, 9, np.dtype(np.int64))
    row = lookup.row((" ".join(tokens).upper().encode(),))
    assert row.tolist() == ([ids.get(each, 7) for each in tokens] + [9] * length)[:length]


def test_an_unknown_token_is_unusable_where_nothing_stands_for_it():
    """The sentence shows it."""
    with pytest.raises(Unusable, match="has a word that is not in the vocabulary: 'b'"):
        Lookup(Text(), {"a": 0}, 4, None, 0, np.dtype(np.int64)).row((b"a b",))
