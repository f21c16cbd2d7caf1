"""How many connections there are, from each address and in all."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final, cast

from scurry.gateway.doors import patience
from scurry.gateway.doors.replies import refusal, written
from scurry.wire.errors import ScurryError, error

TURNED_AWAY: Final = 256
"""Connections at a time that are told why they are not served; more than these are dropped without a word."""


def _over_http(cause: ScurryError) -> bytes:
    return written(refusal(cause), keep_alive=False)


class Census:
    """Counts connections while they are open, whoever has them. A limit of 0 is none."""

    def __init__(self, max_connections: int = 0, max_per_address: int = 0) -> None:
        self._most, self._most_each = max_connections, max_per_address
        self._open: dict[asyncio.BaseTransport, str] = {}
        self._closing: dict[asyncio.BaseTransport, float] = {}
        self._each: Counter[str] = Counter()
        self._turned: set[TurnedAway] = set()

    def enter(self, transport: asyncio.Transport, words: Callable[[ScurryError], bytes] = _over_http) -> bool:
        """Whether one more is served; another is told why not, in the words of its protocol, and closed."""
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if isinstance(peer, tuple) and peer else ""
        cause = self._refused(address)
        if cause is None:
            self._open[transport] = address
            self._each[address] += 1
        elif len(self._turned) < TURNED_AWAY:
            transport.set_protocol(TurnedAway(self._turned, transport, words(cause)))
        else:
            transport.set_protocol(asyncio.Protocol())
            transport.abort()
        return cause is None

    def leave(self, transport: asyncio.BaseTransport) -> None:
        """One has gone."""
        self._closing.pop(transport, None)
        address = self._open.pop(transport, None)
        if address is not None:
            self._each[address] -= 1
            if not self._each[address]:
                del self._each[address]

    def there(self) -> frozenset[asyncio.BaseTransport]:
        """Those that are open now."""
        return frozenset(self._open)

    def abort_late(self, now: float) -> None:
        """Drop those that are being closed and do not end, because the caller does not read the last of it."""
        late = now - patience.SEND_S
        for transport in tuple(self._open):
            if transport.is_closing() and self._closing.setdefault(transport, now) < late:
                cast("asyncio.Transport", transport).abort()

    def _refused(self, address: str) -> ScurryError | None:
        if self._most and len(self._open) >= self._most:
            return error("overloaded", f"{self._most} connections are open, the limit here: try again in a moment.")
        if self._most_each and self._each[address] >= self._most_each:
            sentence = f"{self._most_each} connections from {address or 'this address'} are open, the limit for each"
            return error("rate_limited", f"{sentence}: use those.")
        return None

    def __len__(self) -> int:
        return len(self._open)

    def __repr__(self) -> str:
        return f"<Census {len(self._open)} connections from {len(self._each)} addresses>"


class TurnedAway(asyncio.Protocol):
    """A connection above a limit: hears why, and has a moment to read it, for what is unread when it closes is lost."""

    def __init__(self, all_of_them: set[TurnedAway], transport: asyncio.Transport, words: bytes) -> None:
        self._all = all_of_them
        all_of_them.add(self)
        transport.write(words)
        self._timer = asyncio.get_running_loop().call_later(patience.LINGER_S, transport.abort)

    def connection_lost(self, exc: BaseException | None) -> None:  # noqa: ARG002 - asyncio's name
        """It has gone."""
        self._timer.cancel()
        self._all.discard(self)

    def __repr__(self) -> str:
        return f"<TurnedAway, one of {len(self._all)}>"
