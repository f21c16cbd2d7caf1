"""Who calls, and what he may; every door asks here first.

Without a file of keys everybody is anybody, and `admin.py` alone decides who may change the registry.
"""

from __future__ import annotations

import contextlib
import hmac
import logging
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from scurry.gateway.keys import InvalidKeys, Key, digest_of, read_keys
from scurry.wire.errors import InvalidRequest, error

log = logging.getLogger(__name__)

REMEMBERED: Final = 4096
"""Keys that were shown lately; no more than these are ever known by what was shown."""
ANY_MODEL: Final = "*"
"""For `check`: what is asked concerns all models, so that a key for some of them does not do."""


class Caller(NamedTuple):
    """Who asks, as the keys tell; nobody in particular without them."""

    name: str = ""
    tenant: str = ""
    scopes: frozenset[str] = frozenset()
    expires: float = float("inf")
    max_in_flight: int = 0


ANYBODY: Final = Caller()


class Access:
    """The keys there are. `path` empty: none, and everybody may."""

    def __init__(self, path: str = "", *, admin_key: str = "") -> None:
        self.path = Path(path) if path else None
        self.generation = 0  # grows when keys are read again: what was found out before holds no more
        self._admin_key = admin_key
        self._table = _Table({}, {})
        self._in_flight: Counter[str] = Counter()
        self.reread()

    @property
    def is_asked(self) -> bool:
        """Whether there are keys to show."""
        return self.path is not None

    def reread(self) -> None:
        """Read the file again. Raises `OSError` or `InvalidKeys`, and keeps what it had."""
        if self.path is None:
            return
        try:
            keys = read_keys(self.path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            raise InvalidKeys("It is not UTF-8.") from None
        if self._admin_key:
            digest = digest_of(self._admin_key)
            keys.setdefault(digest, Key("admin", digest, frozenset(("admin", "read"))))
        self._table = _Table(keys, {})
        self.generation += 1
        log.info("%d API keys are known", len(keys))

    def check(self, headers: Mapping[str, str], scope: str, model: str = "") -> Caller:
        """Who calls. `model` is `*` for what concerns all of them. Raises `not_authenticated` or `not_allowed`.

        Of `headers`, gRPC's metadata included, names are in lower case, or case does not matter.
        """
        if self.path is None:
            return ANYBODY
        key = self._table.find(_given(headers))
        if key.expires <= time.time():
            raise InvalidRequest("not_authenticated", f"The API key {key.name!r} has expired: ask for a new one.")
        if scope not in key.scopes:
            raise InvalidRequest("not_allowed", f"This needs the scope {scope!r}, which key {key.name!r} has not.")
        if model and not key.covers(model):
            what = "This concerns all models" if model == ANY_MODEL else f"{model[:128]!r} is another model"
            raise InvalidRequest("not_allowed", f"{what}: key {key.name!r} is for {', '.join(key.models)}.")
        return Caller(key.name, key.tenant, key.scopes, key.expires, key.max_in_flight)

    def enter(self, caller: Caller) -> None:
        """One more request of a caller whose key has `max_in_flight`. Raises `rate_limited`."""
        if self._in_flight[caller.name] >= caller.max_in_flight:
            most = f"{caller.max_in_flight} requests of {caller.name!r} are in flight, as many as its key allows"
            raise error("rate_limited", f"{most}: wait for an answer.")
        self._in_flight[caller.name] += 1

    def leave(self, caller: Caller) -> None:
        """One of them is answered."""
        self._in_flight[caller.name] -= 1
        if not self._in_flight[caller.name]:
            del self._in_flight[caller.name]

    @contextlib.contextmanager
    def counted(self, caller: Caller) -> Iterator[None]:
        """One request of a caller, for as long as it lasts. Raises `rate_limited`."""
        if not caller.max_in_flight:
            yield
            return
        self.enter(caller)
        try:
            yield
        finally:
            self.leave(caller)

    def __repr__(self) -> str:
        return f"<Access {f'with {len(self._table.keys)} keys' if self.is_asked else 'for anybody'}>"


class _Table(NamedTuple):
    """The keys of one reading, changed as a whole: a thread may read while the loop looks."""

    keys: dict[bytes, Key]
    shown: dict[str, Key]  # by what callers send

    def find(self, given: str) -> Key:
        """The key that was shown. Only right ones are remembered, so that guessing fills nothing."""
        key = self.shown.get(given)
        if key is not None:
            return key
        if not given:
            told = "This gateway asks for an API key: send `Authorization: Bearer KEY` or `X-API-Key: KEY`."
            raise InvalidRequest("not_authenticated", told)
        digest = digest_of(given)
        key = self.keys.get(digest)
        if key is None or not hmac.compare_digest(key.digest, digest):
            raise InvalidRequest("not_authenticated", "That API key is not known here.")
        if len(self.shown) >= REMEMBERED:
            self.shown.clear()
        self.shown[given] = key
        return key


def _given(headers: Mapping[str, str]) -> str:
    """The key that headers show; empty without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token.strip()
    return (headers.get("x-api-key") or headers.get("x-admin-key") or "").strip()
