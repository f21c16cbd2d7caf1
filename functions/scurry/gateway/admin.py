"""Who may change the registry through the gateway, and changing it.

Whoever registers a model decides what code the workers run, so this is not every caller's right.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Protocol

from scurry.gateway.access import ANYBODY, Caller
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Update

UPDATE_S: Final = 600.0
"""How long a change may take: a registration is answered once the model is loaded."""


class RegistryClient(Protocol):
    """What changes of the registry need of `scurry.client.client.Client`."""

    async def update(self, update: Update, *, timeout: float = ...) -> dict[str, Any]:  # noqa: ASYNC109
        """Change the registry; returns the model's record. Raises `ScurryError`."""
        ...


class Shown(NamedTuple):
    """What a caller shows who wants to change something: the key, and whether a web page asks for it."""

    key: str = ""
    from_page: bool = False
    caller: Caller = ANYBODY  # whom an API key belongs to


class Admin:
    """Lets those change the registry who have the key. Without a key: everybody who is on this machine.

    `host` is where the gateway listens. With API keys (`access.py`) it is who has the scope, or the one admin key.
    """

    def __init__(self, client: RegistryClient, *, key: str, host: str, asks_keys: bool = False) -> None:
        self._client = client
        self._key = key.encode()
        self._asks_keys = asks_keys
        self._local = is_loopback(host)

    async def change(self, model: str, change: str, shown: Shown) -> dict[str, Any]:
        """Apply one change, as JSON, for a caller who shows this. Raises `ScurryError`."""
        self.check(shown)
        return await self._client.update(Update(model=model, json=change), timeout=UPDATE_S)

    def check(self, shown: Shown) -> None:
        """Raise `InvalidRequest` for who may not change the registry.

        Cases: 1. an API key with the scope; 2. there is an admin key; 3. there are API keys instead; 4. neither, and
        strangers may reach us, by network or from a web page.
        """
        if "admin" in shown.caller.scopes:
            return
        given = shown.key.encode(errors="surrogateescape")
        if self._key:
            if not given:
                raise InvalidRequest("not_authenticated", "Changing the registry needs the admin key.")
            if not hmac.compare_digest(given, self._key):
                raise InvalidRequest("not_allowed", "That is not the admin key.")
        elif self._asks_keys:
            raise InvalidRequest("not_allowed", "Changing the registry needs an API key with the scope 'admin'.")
        elif not self._local or shown.from_page:
            sentence = "This gateway changes the registry for nobody from elsewhere until SCURRY_ADMIN_KEY is set."
            raise InvalidRequest("not_allowed", sentence)

    def __repr__(self) -> str:
        return f"<Admin {'with a key' if self._key else 'for this machine' if self._local else 'for nobody'}>"


def shown_by(headers: Mapping[str, str], caller: Caller) -> Shown:
    """What a request shows by its headers, or a call by its metadata: names in lower case, or case does not matter."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    key = token.strip() if scheme.lower() == "bearer" else headers.get("x-admin-key", "")
    return Shown(key, "origin" in headers, caller)


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches what listens there."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
