"""Texts, and what is sent as text.

Base64, normal forms, tokens by their place in a vocabulary. Pure."""

from __future__ import annotations

import binascii
import string
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from scurry.transforms.specs import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.wire.tensors import Array

LETTERS: Final = (string.ascii_letters + string.digits + "+/").encode()
"""What base64 consists of, but for the padding at its end."""
FORMS: Final = ("NFC", "NFD", "NFKC", "NFKD")
Form = Literal["", "NFC", "NFD", "NFKC", "NFKD"]


def from_base64(sent: bytes) -> bytes:
    """What a base64 text stands for; line breaks are allowed. Raises `Unusable`."""
    try:
        return binascii.a2b_base64(sent.translate(None, b"\r\n"), strict_mode=True)
    except binascii.Error as cause:
        raise Unusable(f"is no base64: {cause}") from None


@dataclass(frozen=True, slots=True)
class Text:
    """A text out of the bytes of one row, in a normal form."""

    base64: bool = False
    normalize: Form = ""
    lower: bool = False
    strip: bool = False

    def row(self, sent: Sequence[Any]) -> str:
        """The text. Raises `Unusable`."""
        raw = bytes(sent[0])
        try:
            text = (from_base64(raw) if self.base64 else raw).decode()
        except UnicodeDecodeError:
            raise Unusable("is no UTF-8 text") from None
        if self.normalize:
            text = unicodedata.normalize(self.normalize, text)
        text = text.lower() if self.lower else text
        return text.strip() if self.strip else text


@dataclass(frozen=True, slots=True)
class Lookup:
    """The tokens of a text, between white space, by their numbers: cut off or padded to one length."""

    text: Text
    ids: Mapping[str, int]
    length: int
    unknown: int | None  # None: a token that is not in the vocabulary is an error
    pad: int
    dtype: np.dtype[Any]

    def row(self, sent: Sequence[Any]) -> Array:
        """Numbers of the tokens. Raises `Unusable`."""
        found = [self._id(token) for token in self.text.row(sent).split()[: self.length]]
        return np.array(found + [self.pad] * (self.length - len(found)), self.dtype)

    def _id(self, token: str) -> int:
        found = self.ids.get(token, self.unknown)
        if found is None:
            raise Unusable(f"has a word that is not in the vocabulary: {token[:64]!r}")
        return found
