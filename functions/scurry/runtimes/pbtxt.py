"""Triton's `config.pbtxt`, read as a `config.json` would say it.

It is the text form of protobuf; protobuf cuts it into words. The schema is not needed: which names are lists and which
are maps is known, and what they may hold is checked where it is used.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from google.protobuf import text_format

LISTS: Final = frozenset(
    {"batch_input", "batch_output", "bool_false_true", "control", "control_input", "dims", "fp32_false_true", "gpus",
     "initial_state", "input", "instance_group", "int32_false_true", "model_warmup", "output", "preferred_batch_size",
     "profile", "shape", "state", "step", "versions"}
)  # fmt: skip
"""Names that stand for a list, also where they are given once."""
MAPS: Final = frozenset(
    {"inputs", "input_map", "output_map", "parameters", "metric_tags", "cc_model_filenames", "priority_queue_policy"}
)  # fmt: skip
"""Names whose entries have a `key` and a `value`."""
DEPTH: Final = 32
_CLOSED_BY: Final = {"{": "}", "<": ">"}
Add = Callable[[Any, dict[str, Any], str, Any], None]
"""Puts one more field of a name among those found; it is given the words to complain about."""


def parse(text: str) -> dict[str, Any]:
    """What it says. Raises `ValueError` with line, column and what was expected there."""
    try:
        return read(text, _add)
    except text_format.ParseError as cause:
        raise ValueError(str(cause)) from None


def read(text: str, add: Add) -> dict[str, Any]:
    """The fields of a text, each put where `add` puts it. Raises `ParseError`."""
    return _message(text_format.Tokenizer(text.splitlines()), "", DEPTH, add)


def _message(words: Any, end: str, depth: int, add: Add) -> dict[str, Any]:  # noqa: ANN401 - the tokenizer has no type
    """Fields up to a closing bracket, or to the end of the text."""
    if not depth:
        raise words.ParseError("Brackets are nested too deeply")
    found: dict[str, Any] = {}
    while not (words.TryConsume(end) if end else words.AtEnd()):
        name = words.ConsumeIdentifier()
        add(words, found, name, _value(words, depth, add))
        words.TryConsume(",") or words.TryConsume(";")
    return found


def _add(words: Any, found: dict[str, Any], name: str, value: Any) -> None:  # noqa: ANN401
    """One more field of that name."""
    if name in MAPS:
        entries = found.setdefault(name, {})
        for entry in value if isinstance(value, list) else [value]:
            if not isinstance(entry, dict) or "key" not in entry:
                raise words.ParseErrorPreviousToken(f"An entry of {name} must have a key")
            entries[str(entry["key"])] = _unwrapped(entry.get("value"))
    elif name in LISTS:
        found.setdefault(name, []).extend(value if isinstance(value, list) else [value])
    elif name in found:
        raise words.ParseErrorPreviousToken(f"{name} is given twice")
    else:
        found[name] = value


def _unwrapped(value: Any) -> Any:  # noqa: ANN401
    """A parameter's text without the message around it."""
    return value["string_value"] if isinstance(value, dict) and set(value) == {"string_value"} else value


def _value(words: Any, depth: int, add: Add) -> Any:  # noqa: ANN401
    """What stands behind a name: only brackets may do without a colon."""
    if not words.TryConsume(":") and words.token not in {"[", *_CLOSED_BY}:
        raise words.ParseError('Expected ":"')
    if not words.TryConsume("["):
        return _single(words, depth, add)
    values: list[Any] = []
    while not words.TryConsume("]"):
        if values:
            words.Consume(",")
        values.append(_single(words, depth, add))
    return values


def _single(words: Any, depth: int, add: Add) -> Any:  # noqa: ANN401
    token: str = words.token
    for opened, closed in _CLOSED_BY.items():
        if words.TryConsume(opened):
            return _message(words, closed, depth - 1, add)
    if token[:1] in ('"', "'"):
        return words.ConsumeString()
    if token in ("true", "false"):
        return words.ConsumeBool()
    if token[:1].isalpha() or token[:1] == "_":
        return words.ConsumeIdentifier()
    return words.ConsumeFloat() if "." in token or "e" in token.lower()[1:] else words.ConsumeInteger()
