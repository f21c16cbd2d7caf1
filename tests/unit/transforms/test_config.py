"""Checks of what a config says of its steps."""

import pytest

from scurry.transforms import config
from scurry.wire.errors import Failed


@pytest.mark.parametrize(
    ("check", "sentence"),
    [
        (lambda: config.step("p[0]", [], ("a",)), r"p\[0\] in the config must be an object, not \[\]"),
        (lambda: config.step("p[0]", {"resise": 1}, ("resize",)), r"has no 'resise'; was 'resize' meant\?$"),
        (lambda: config.step("p[0]", {"zzz": 1}, ("b", "a")), "has no 'zzz'; it may have a, b"),
        (lambda: config.text("p", {"to": 3}, "to"), r"p\.to in the config must be a text, not 3"),
        (lambda: config.text("p", {"to": ""}, "to"), r"p\.to in the config must be a text, not ''"),
        (lambda: config.flag("p", {"drop": 1}, "drop"), r"p\.drop in the config must be true or false, not 1"),
        (lambda: config.choice("p", {"color": "RBG"}, "color", ("RGB",), "RGB"), r"RGB, not 'RBG'; was 'RGB' meant\?"),
        (lambda: config.whole("p", True, 0, 9), "must be a whole number from 0 to 9, not True"),
        (lambda: config.whole("p", 10, 0, 9), "not 10"),
        (lambda: config.number("p", "1/0"), r"must be a number or a fraction such as '1/255', not '1/0'"),
        (lambda: config.number("p", "abc"), "not 'abc'"),
        (lambda: config.number("p", float("nan")), "must be a finite number"),
        (lambda: config.number("p", None), "must be a finite number, not None"),
        (lambda: config.numbers("p", [1, 2], 3, "channels"), "has 2 numbers for 3 channels"),
        (lambda: config.lines("p", "gone.txt", {}), "must be a list of texts or a file beside the model"),
        (lambda: config.lines("p", [1], {}), "must be a list of texts"),
        (lambda: config.lines("p", [], {}), "must be a list of texts"),
    ],
)
def test_what_does_not_fit_is_a_sentence_with_its_place(check, sentence):
    """And the model is refused."""
    with pytest.raises(Failed, match=sentence) as failure:
        check()
    assert failure.value.code == "load_failed"


def test_what_fits_is_taken():
    """Fractions, one number for all, lines of a file."""
    assert config.number("p", "1/255") == 1 / 255
    assert config.number("p", "0.5") == 0.5
    assert config.numbers("p", 2, 3, "channels") == [2, 2, 2]
    assert config.numbers("p", [2], 3, "channels") == [2, 2, 2]
    assert config.numbers("p", [1, "1/2", 3], 3, "channels") == [1, 0.5, 3]
    assert config.lines("p", "labels.txt", {"labels.txt": ("a", "b")}) == ["a", "b"]
    assert config.sides("p", 3, 9) == (3, 3)
    assert config.flag("p", {}, "x", default=True)


def test_a_long_value_is_shown_shortened():
    """A sentence is not a megabyte."""
    assert len(config.short("x" * 10_000)) == config.BRIEF + 1
