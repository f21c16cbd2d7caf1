"""A model's input that is made of texts: `base64`, `text`, `lookup`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from scurry.transforms import config
from scurry.transforms.specs import Preparation, Spec
from scurry.transforms.texts import FORMS, Form, Lookup, Text, from_base64
from scurry.wire.tensors import DTYPES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

KNOWN: Final = frozenset({"input", "to", "base64", "text", "lookup"})
TEXT: Final = ("normalize", "lower", "strip")
LOOKUP: Final = ("vocabulary", "length", "unknown", "pad")
LONGEST: Final = 65536
"""Tokens of a text."""


def prepare(where: str, entry: Mapping[str, Any], to: Spec, read: Mapping[str, Sequence[str]]) -> Preparation:
    """How texts become this input. Raises `load_failed`."""
    config.step(where, entry, KNOWN)
    name = config.text(where, entry, "input", to.name)
    if "lookup" in entry:
        return _looked_up(where, entry, to, read, name)
    if to.datatype != "BYTES":
        config.refuse(where, f"gives BYTES, but input {to.name!r} is {to.datatype}")
    if len(to.shape) != 1 and to.shape[1:] != (1,):
        config.refuse(where, f"gives one element for each row, but input {to.name!r} is {list(to.shape)}")
    if "text" in entry:
        return Preparation(to, (Spec(name, "BYTES", to.shape[:1]),), _text(where, entry).row, (b"1",))
    if not config.flag(where, entry, "base64"):
        config.refuse(where, "does nothing: it needs decode, sparse, text, lookup or base64")
    return Preparation(to, (Spec(name, "BYTES", to.shape[:1]),), lambda sent: from_base64(sent[0]), (b"MQ==",))


def _text(where: str, entry: Mapping[str, Any]) -> Text:
    here = f"{where}.text"
    given = config.step(here, entry.get("text", {}), TEXT)
    form = config.choice(here, given, "normalize", FORMS, FORMS[0]) if "normalize" in given else ""
    return Text(
        config.flag(where, entry, "base64"),
        cast("Form", form),
        config.flag(here, given, "lower"),
        config.flag(here, given, "strip"),
    )


def _looked_up(
    where: str, entry: Mapping[str, Any], to: Spec, read: Mapping[str, Sequence[str]], name: str
) -> Preparation:
    here = f"{where}.lookup"
    given = config.step(here, entry["lookup"], LOOKUP)
    if to.datatype not in {"INT32", "INT64"} or len(to.shape) != 2:
        config.refuse(here, f"gives INT64 or INT32 [rows, length]; input {to.name!r} is {to.datatype} {list(to.shape)}")
    length = config.whole(f"{here}.length", given.get("length", to.shape[1]), 1, LONGEST)
    if to.shape[1] not in (-1, length):
        config.refuse(f"{here}.length", f"is {length}, but input {to.name!r} is {list(to.shape)}")
    words = config.lines(f"{here}.vocabulary", given.get("vocabulary"), read)
    ids: dict[str, int] = {}
    for at, word in enumerate(words):
        ids.setdefault(word, at)
    unknown = _id(f"{here}.unknown", given["unknown"], ids) if "unknown" in given else None
    pad = _id(f"{here}.pad", given.get("pad", 0), ids)
    lookup = Lookup(_text(where, entry), ids, length, unknown, pad, DTYPES[to.datatype])
    return Preparation(to, (Spec(name, "BYTES", to.shape[:1]),), lookup.row, (next(iter(ids)).encode(),))


def _id(where: str, given: object, ids: Mapping[str, int]) -> int:
    """A number, or the place of a word."""
    if isinstance(given, str):
        if given not in ids:
            config.refuse(where, f"is {config.short(given)}, which is not in the vocabulary")
        return ids[given]
    return config.whole(where, given, -(2**31), 2**31 - 1)
