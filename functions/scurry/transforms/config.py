"""Checks of what a config says of its steps.

Every function takes `where` ("preprocessing[0].resize"), the object it stands in and a name; what is wrong is
`load_failed`, for the model is refused when it is registered.
"""

from __future__ import annotations

import difflib
from math import isfinite
from typing import TYPE_CHECKING, Any, Final, NoReturn

from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

BRIEF: Final = 80
"""Characters of a value that are shown."""


def refuse(where: str, sentence: str) -> NoReturn:
    """Raise `load_failed` for a place in the config."""
    raise Failed("load_failed", f"{where} in the config {sentence}{'' if sentence.endswith('?') else '.'}")


def step(where: str, given: object, known: Collection[str]) -> Mapping[str, Any]:
    """An object that has no other names than those known."""
    if not isinstance(given, dict):
        refuse(where, f"must be an object, not {short(given)}")
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"; was {near[0]!r} meant?" if near else f"; it may have {', '.join(sorted(known))}"
            refuse(where, f"has no {name!r}{hint}")
    return given


def text(where: str, given: Mapping[str, Any], name: str, default: str = "") -> str:
    """A text that is not empty, or the default."""
    value = given.get(name, default)
    if not isinstance(value, str) or (name in given and not value):
        refuse(f"{where}.{name}", f"must be a text, not {short(value)}")
    return value


def flag(where: str, given: Mapping[str, Any], name: str, *, default: bool = False) -> bool:
    """True or false."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        refuse(f"{where}.{name}", f"must be true or false, not {short(value)}")
    return value


def choice(where: str, given: Mapping[str, Any], name: str, choices: Collection[str], default: str) -> str:
    """One of some words; the nearest is named for any other."""
    value = given.get(name, default)
    if not isinstance(value, str) or value not in choices:
        near = difflib.get_close_matches(str(value), choices, 1, 0.5)
        hint = f"; was {near[0]!r} meant?" if near else ""
        refuse(f"{where}.{name}", f"must be one of {', '.join(sorted(choices))}, not {short(value)}{hint}")
    return value


def whole(where: str, value: object, least: int, most: int) -> int:
    """A whole number between two."""
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        refuse(where, f"must be a whole number from {least} to {most}, not {short(value)}")
    return value


def number(where: str, value: object) -> float:
    """A finite number, also as a fraction in a text: "1/255"."""
    if isinstance(value, str):
        over, slash, under = value.partition("/")
        try:
            value = float(over) / float(under) if slash else float(over)
        except (ValueError, ZeroDivisionError):
            refuse(where, f"must be a number or a fraction such as '1/255', not {short(value)}")
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        refuse(where, f"must be a finite number, not {short(value)}")
    return float(value)


def numbers(where: str, value: object, count: int, what: str) -> list[float]:
    """One number for each of so many; a single one stands for all."""
    if not isinstance(value, list):
        return [number(where, value)] * count
    if len(value) not in (1, count):
        refuse(where, f"has {len(value)} numbers for {count} {what}")
    found = [number(where, one) for one in value]
    return found if len(found) == count else found * count


def sides(where: str, value: object, most: int) -> tuple[int, int]:
    """Height and width: two numbers, or one for both."""
    if isinstance(value, list):
        if len(value) != 2:
            refuse(where, f"must be [height, width] or one number, not {short(value)}")
        return whole(where, value[0], 1, most), whole(where, value[1], 1, most)
    side = whole(where, value, 1, most)
    return side, side


def lines(where: str, value: object, read: Mapping[str, Sequence[str]]) -> list[str]:
    """A list of texts, or the lines of a file beside the model."""
    if isinstance(value, str) and value in read:
        value = list(read[value])
    if not isinstance(value, list) or not value or not all(isinstance(one, str) for one in value):
        refuse(where, f"must be a list of texts or a file beside the model, not {short(value)}")
    return value


def short(value: object) -> str:
    """A value as it may stand in a sentence."""
    shown = repr(value)
    return shown if len(shown) <= BRIEF else f"{shown[:BRIEF]}…"
