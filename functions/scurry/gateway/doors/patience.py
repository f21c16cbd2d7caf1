"""How long a caller may take, and what one is told that takes longer."""

from __future__ import annotations

from typing import Final

from scurry.wire.errors import InvalidRequest

IDLE_S: Final = 75.0
"""How long a connection may be silent, before its first request and between two."""
HEAD_S: Final = 10.0
"""How long the head of a request may take from its first byte on."""
SEND_S: Final = 30.0
"""How long a caller may take to read a response."""
LINGER_S: Final = 2.0
"""How long the rest of a refused body is read, so that its sender comes to see the answer."""
QUIET_S: Final = 1.0
"""How long a stopping gateway keeps a connection on which nothing is asked, to tell it so with the next answer."""
LINGER_BYTES: Final = 4 * 1024 * 1024
"""How much of it."""


def limit_of(awaits: str, body_s: float) -> float:
    """How long a caller may let itself be waited for: for the `head` or `body`, for `reading`, or to ask at all."""
    return {"head": HEAD_S, "body": body_s, "reading": SEND_S}.get(awaits, IDLE_S)


def late(what: str, seconds: float) -> InvalidRequest:
    """Why a request is given up whose head or body does not come."""
    return InvalidRequest("bad_request", f"The request's {what} did not arrive within {seconds:g} s.")
