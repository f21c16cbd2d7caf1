"""What fields of a verb may hold."""

from __future__ import annotations

import pytest

from scurry.registry import fields
from scurry.wire.errors import InvalidRequest


def test_values_are_read() -> None:
    """A number stands for its digits; options may be an object or the text of one."""
    assert fields.text("f", 7) == "7"
    assert fields.flag("f", True) is True
    assert fields.config("f", {"a": 1}) == '{"a": 1}'
    assert fields.config("f", "{}") == "{}"
    assert fields.aliases("f", {"a": 1}) == {"a": "1"}
    assert fields.names("f", ["a", 2]) == ["a", "2"]
    assert fields.weights("f", {"1": 0}) == {"1": 0}


@pytest.mark.parametrize(
    ("reader", "value", "words"),
    [
        (fields.text, True, "f must be text"), (fields.text, 1.5, "f must be text"), (fields.flag, 1, "true or false"),
        (fields.config, [], "f must be an object"), (fields.aliases, [], "f must be an object"),
        (fields.aliases, {"a": None}, "f.a must be text"), (fields.names, "ab", "f must be a list"),
        (fields.names, ["a", {}], r"f\[1\] must be text"), (fields.weights, {"1": -1}, "f.1 must be a whole number"),
        (fields.weights, {"1": 2**31}, "f.1 must be a whole number"), (fields.weights, 3, "f must be an object"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_name(reader, value, words) -> None:
    """The sentence names the field."""
    with pytest.raises(InvalidRequest, match=words):
        reader("f", value)
