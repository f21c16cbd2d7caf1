"""`preprocessing` of a config, held against a model's inputs."""

import pytest

from scurry.transforms.preparing import parse
from scurry.transforms.specs import Spec
from scurry.wire.errors import Failed

A, B = Spec("a", "FP32", (-1, 3, 8, 8)), Spec("b", "BYTES", (-1,))


def test_an_entry_is_for_the_input_it_names():
    """By `to`, by the same name, or because there is no other; the rest is taken as it comes."""
    image, text = {"decode": True, "input": "image", "to": "a"}, {"text": {}, "input": "b"}
    first, second = parse([text, image], [A, B], {})
    assert (first.to, first.takes[0].name, second.to) == (A, "image", B)
    assert parse([image], [A, B], {})[1] is None
    assert parse([{"decode": True, "input": "anything"}], [A], {})[0].to == A
    assert parse([], [A, B], {}) == [None, None]


@pytest.mark.parametrize(
    ("entries", "sentence"),
    [
        ({}, r"preprocessing in the config must be a list, not \{\}"),
        (["decode"], r"preprocessing\[0\] in the config must be an object"),
        ([{"decod": True}], r"preprocessing\[0\] in the config has no 'decod'; was 'decode' meant\?"),
        (
            [{"decode": True, "input": "c"}],
            r"preprocessing\[0\] in the config is for input 'c'; the model has 'a', 'b'",
        ),
        ([{"decode": True, "to": "c"}], "is for input 'c'"),
        ([{"text": {}, "to": "b"}, {"base64": True, "to": "b"}], r"\[1\] in the config makes input 'b' a second time"),
        ([{"decode": True, "input": "b", "to": "a"}], "makes two inputs that callers know as 'b'"),
        ([{"decode": True, "sparse": True, "to": "a"}], "has no 'sparse'"),
    ],
)
def test_what_fits_no_input_is_refused(entries, sentence):
    """With its place in the list."""
    with pytest.raises(Failed, match=sentence):
        parse(entries, [A, B], {})
