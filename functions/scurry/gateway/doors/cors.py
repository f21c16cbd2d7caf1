"""What web pages of other origins may do.

Nothing, unless their origin is named. A browser asks before it sends anything but the simplest request (a preflight),
and shows a page no answer that does not name its origin.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Final

from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply

EVERY: Final = "*"

_PREFLIGHT: Final = (
    b"HTTP/1.1 204 No Content\r\n"
    b"Access-Control-Allow-Methods: GET, HEAD, POST, DELETE\r\n"
    b"Access-Control-Allow-Headers: Authorization, Content-Type, Content-Encoding, Idempotency-Key, "
    b"Inference-Header-Content-Length, Prefer, Scurry-Key, Traceparent, X-API-Key, X-Scurry-Tenant\r\n"
    b"Access-Control-Max-Age: 600\r\n"
)
_EXPOSED: Final = (
    b"Access-Control-Expose-Headers: Inference-Header-Content-Length, Location, Preference-Applied, Retry-After\r\n"
)


class Cors:
    """The origins whose pages may call. Cookies are never asked for: a page shows a key like everybody."""

    def __init__(self, origins: Sequence[str]) -> None:
        self._origins = frozenset(origins)

    def origin_of(self, head: Head) -> str:
        """The page's origin if it may call; empty for other pages, and for callers that are no pages."""
        origin: str = head.headers.get("origin", "")
        return origin if origin and (EVERY in self._origins or origin in self._origins) else ""

    def preflight(self, origin: str) -> HttpReply:
        """The answer to a browser that asks what it may send."""
        return HttpReply(204, _PREFLIGHT + _allowed(origin), [])

    def shown(self, reply: HttpReply, origin: str) -> HttpReply:
        """The same answer, for a page of this origin to read."""
        told = copy(reply)
        told.head += _allowed(origin) + _EXPOSED
        return told

    def __repr__(self) -> str:
        return f"<Cors for {', '.join(sorted(self._origins)) or 'nobody'}>"


def is_preflight(head: Head) -> bool:
    """Whether a browser asks for leave only."""
    return head.method == "OPTIONS" and "access-control-request-method" in head.headers


def _allowed(origin: str) -> bytes:
    """Only what is configured or came in as one header's value, in which no line ends."""
    return b"Access-Control-Allow-Origin: %b\r\nVary: Origin\r\n" % origin.encode("latin-1", errors="replace")
