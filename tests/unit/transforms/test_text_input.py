"""A model's input that is made of texts."""

import pytest

from scurry.transforms.specs import Spec
from scurry.transforms.text_input import prepare
from scurry.wire.errors import Failed

X = Spec("x", "BYTES", (-1,))
IDS = Spec("x", "INT64", (-1, 4))


def test_texts_stay_texts():
    """Normalised, under the name that the entry gives."""
    made = prepare("p", {"input": "text", "text": {"lower": True}}, X, {})
    assert made.takes == (Spec("text", "BYTES", (-1,)),)
    assert made.row((b"ABC",)) == "abc"
    assert made.row(made.sample) == "1"


def test_base64_alone_gives_bytes():
    """Whatever they are."""
    made = prepare("p", {"base64": True}, Spec("x", "BYTES", (1, 1)), {})
    assert made.row((b"/w==",)) == b"\xff"
    assert made.takes == (Spec("x", "BYTES", (1,)),)


def test_tokens_become_numbers():
    """By a vocabulary in the config or in a file, padded to the model's length."""
    lookup = {"vocabulary": "words.txt", "unknown": "[UNK]", "pad": "[PAD]"}
    made = prepare("p", {"lookup": lookup, "text": {"lower": True}}, IDS, {"words.txt": ["[PAD]", "[UNK]", "cat"]})
    assert made.row((b"Cat dog",)).tolist() == [2, 1, 0, 0]
    free = prepare("p", {"lookup": {"vocabulary": ["a"], "length": 2, "pad": -1}}, Spec("x", "INT32", (-1, -1)), {})
    assert free.row((b"a",)).tolist() == [0, -1]
    assert free.row(free.sample).dtype.name == "int32"


@pytest.mark.parametrize(
    ("entry", "to", "sentence"),
    [
        ({}, X, "does nothing: it needs decode, sparse, text, lookup or base64"),
        ({"base64": False}, X, "does nothing"),
        ({"text": {}}, IDS, "gives BYTES, but input 'x' is INT64"),
        ({"text": {}}, Spec("x", "BYTES", (-1, 3)), "gives one element for each row"),
        ({"text": {"normalise": "NFC"}}, X, r"has no 'normalise'; was 'normalize' meant\?"),
        ({"text": {"normalize": "NFX"}}, X, "must be one of NFC, NFD, NFKC, NFKD"),
        ({"lookup": {"vocabulary": ["a"]}}, X, "gives INT64 or INT32"),
        ({"lookup": {"vocabulary": ["a"], "length": 3}}, IDS, r"length in the config is 3, but input 'x' is \[-1, 4\]"),
        ({"lookup": {"vocabulary": ["a"]}}, Spec("x", "INT64", (-1, -1)), "length in the config must be a whole"),
        ({"lookup": {"vocabulary": ["a"], "unknown": "b"}}, IDS, "is 'b', which is not in the vocabulary"),
        ({"lookup": {}}, IDS, "vocabulary in the config must be a list of texts or a file"),
        ({"lookup": {"vocabulary": ["a"], "words": 1}}, IDS, "has no 'words'"),
    ],
)
def test_what_does_not_fit_the_model_is_refused(entry, to, sentence):
    """When it is registered, in a sentence with the place."""
    with pytest.raises(Failed, match=sentence):
        prepare("p", entry, to, {})
