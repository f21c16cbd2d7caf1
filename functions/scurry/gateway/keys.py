"""API keys: a file with a line for each, and how one is made.

    # name  key  scopes  what else
    ci      sha256:9f86d081…  infer,read        models=digits*,iris tenant=ci expires=2027-06-30
    ops     sha256:60303ae2…  admin,infer,read

A key is drawn at random, so that its digest needs no salt: nobody guesses 256 bits. Several keys may share a name: that
is how one is replaced without a pause.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Final, NamedTuple

from scurry.wire.names import MODEL_NAME

SCOPES: Final = ("infer", "read", "admin")
"""What a key may be for: ask models; metadata, statistics and results; changes of the registry."""
LEAST: Final = 16
"""Characters of a key that is written in clear."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@-]{0,63}")
_DIGEST: Final = re.compile(r"sha256:([0-9a-f]{64})")
_PATTERN: Final = re.compile(r"[A-Za-z0-9._*?-]{1,128}")


class Key(NamedTuple):
    """One line of the file."""

    name: str
    digest: bytes
    scopes: frozenset[str]
    models: tuple[str, ...] = ()  # patterns; none: every model
    tenant: str = ""
    expires: float = float("inf")
    max_in_flight: int = 0  # 0: as many as there is room for

    def covers(self, model: str) -> bool:
        """Whether it is for this model."""
        return not self.models or any(fnmatchcase(model, pattern) for pattern in self.models)


class InvalidKeys(ValueError):
    """A file of keys that cannot be used: one sentence that names the line."""


def digest_of(key: str) -> bytes:
    """What is kept of a key."""
    return hashlib.sha256(key.encode(errors="surrogateescape")).digest()


def read_keys(text: str) -> dict[bytes, Key]:
    """The keys of a file by their digests. Raises `InvalidKeys`."""
    found: dict[bytes, Key] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            key = _read(words)
        except ValueError as cause:
            raise InvalidKeys(f"Line {number}: {cause}") from None
        if key.digest in found:
            raise InvalidKeys(f"Line {number}: this key stands in the file already, as {found[key.digest].name!r}.")
        found[key.digest] = key
    return found


def new_key(name: str, scopes: str, more: Mapping[str, str]) -> tuple[str, str]:
    """A new key, and the line for the file. Raises `InvalidKeys`."""
    secret = f"sk-{secrets.token_urlsafe(32)}"
    words = [f"{option}={value}" for option, value in more.items() if value]
    line = " ".join([name, f"sha256:{digest_of(secret).hex()}", scopes, *words])
    if len(line.split()) != 3 + len(words) or "#" in line:
        raise InvalidKeys("A name, scope or option of a key has no space and no # in it.")
    try:
        _read(line.split())
    except ValueError as cause:
        raise InvalidKeys(str(cause)) from None
    return secret, line


def _read(words: list[str]) -> Key:
    if len(words) < 3:
        raise ValueError("a line has at least a name, a key (better: its sha256:…) and scopes.")
    name, secret, scopes, *more = words
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:80]!r} cannot be a name: letters, digits and . _ : @ - can.")
    options = dict(word.partition("=")[::2] for word in more)
    if unknown := options.keys() - {"models", "tenant", "expires", "max_in_flight"}:
        raise ValueError(f"{min(unknown)[:80]!r} is no option: models=, tenant=, expires= and max_in_flight= are.")
    return Key(
        name,
        _digest(secret),
        _scopes(scopes),
        _models(options.get("models", "")),
        _tenant(options.get("tenant", "")),
        _expires(options.get("expires", "")),
        _whole(options.get("max_in_flight", "0")),
    )


def _digest(secret: str) -> bytes:
    if secret.startswith("sha256:"):
        found = _DIGEST.fullmatch(secret)
        if not found:
            raise ValueError("sha256: is followed by 64 digits from 0 to 9 and a to f.")
        return bytes.fromhex(found[1])
    if len(secret) < LEAST or not secret.isascii():
        raise ValueError(f"a key in clear has at least {LEAST} ASCII characters; `scurry keys new NAME` makes one.")
    return digest_of(secret)


def _scopes(text: str) -> frozenset[str]:
    scopes = frozenset(text.split(","))
    if wrong := scopes - set(SCOPES):
        raise ValueError(f"{min(wrong)[:80]!r} is no scope: {', '.join(SCOPES)} are, with commas between.")
    return scopes


def _models(text: str) -> tuple[str, ...]:
    patterns = tuple(text.split(",")) if text else ()
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(f"models={pattern[:80]!r} is no pattern: names in which * and ? stand for others are.")
    return patterns


def _tenant(text: str) -> str:
    if text and not MODEL_NAME.fullmatch(text):
        raise ValueError(f"tenant={text[:80]!r} cannot be a tenant: letters, digits and . _ - can.")
    return text


def _expires(text: str) -> float:
    if not text:
        return float("inf")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"expires={text[:80]!r} is no date such as 2027-06-30 or 2027-06-30T12:00:00Z.") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _whole(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 7:
        raise ValueError(f"max_in_flight={text[:80]!r} is no whole number from 0 to 9999999.")
    return int(text)
