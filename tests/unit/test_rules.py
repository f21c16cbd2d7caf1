"""What values a setting may have."""

from __future__ import annotations

import pytest

from scurry.rules import RULES, InvalidSettings, above_0, between, take


def test_a_value_that_its_rule_holds_of_is_taken() -> None:
    """Bounds are within; times are above 0."""
    assert take("--x", "3", int, between(3, 4)) == 3
    assert take("--x", "0.5", float, above_0(1)) == 0.5


@pytest.mark.parametrize("text", ["2", "5", "three", "3.5"])
def test_another_is_told_in_words(text: str) -> None:
    """With what it takes, and what was given."""
    with pytest.raises(InvalidSettings, match=f"--x takes a whole number from 3 to 4, not '{text}'"):
        take("--x", text, int, between(3, 4))


def test_no_password_is_repeated() -> None:
    """Whatever the address is wrong about."""
    with pytest.raises(InvalidSettings) as caught:
        take("--redis-url", "http://me:secret@host/0", str, RULES["redis_url"])
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("", True),
        ("https://host/", True),
        ("https://host.example:8443/a/b,http://10.0.0.5:8080/in/, http://[::1]:80/", True),
        ("https://host", False),
        ("ftp://host/", False),
        ("https://user:pass@host/", False),
        ("https://host/a/../b", False),
        ("https://host/a?x=1", False),
        ("https://host/ https://other/", False),
    ],
)
def test_places_for_call_backs(text: str, holds: bool) -> None:
    """URLs with a path, without credentials, queries or steps upwards."""
    assert bool(RULES["callbacks"][1](text)) is holds
