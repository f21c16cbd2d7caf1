"""What the fields of a verb may hold, as JSON says them.

Each takes the field's name, for the sentence of a refusal, and its value, which may be anything.
"""

from __future__ import annotations

import json

from scurry.wire.errors import bad_message


def text(name: str, value: object) -> str:
    """A name or other text; a number stands for its digits. Raises `InvalidRequest`."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise bad_message(f"{name} must be text")
    return str(value)


def flag(name: str, value: object) -> bool:
    """Yes or no. Raises `InvalidRequest`."""
    if not isinstance(value, bool):
        raise bad_message(f"{name} must be true or false")
    return value


def config(name: str, value: object) -> str:
    """A version's options, as an object or as the text of one. Raises `InvalidRequest`."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        raise bad_message(f"{name} must be an object")
    return json.dumps(value)


def aliases(name: str, value: object) -> dict[str, str]:
    """Aliases and what they stand for. Raises `InvalidRequest`."""
    if not isinstance(value, dict):
        raise bad_message(f"{name} must be an object of alias: version")
    return {alias: text(f"{name}.{alias[:64]}", version) for alias, version in value.items()}


def names(name: str, value: object) -> list[str]:
    """Versions. Raises `InvalidRequest`."""
    if not isinstance(value, list):
        raise bad_message(f"{name} must be a list of versions")
    return [text(f"{name}[{at}]", version) for at, version in enumerate(value)]


def weights(name: str, value: object) -> dict[str, int]:
    """Versions and their weights. Raises `InvalidRequest`."""
    if not isinstance(value, dict):
        raise bad_message(f"{name} must be an object of version: weight")
    for version, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight < 2**31:
            raise bad_message(f"{name}.{version[:64]} must be a whole number from 0 to {2**31 - 1}")
    return value


def number(name: str, value: object) -> float:
    """Any number. Raises `InvalidRequest`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise bad_message(f"{name} must be a number")
    return float(value)


def whole(name: str, value: object) -> int:
    """A whole number from 0. Raises `InvalidRequest`."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise bad_message(f"{name} must be a whole number from 0")
    return value


def numbers(name: str, value: object) -> list[float]:
    """Several. Raises `InvalidRequest`."""
    if not isinstance(value, list):
        raise bad_message(f"{name} must be a list of numbers")
    return [number(name, each) for each in value]
