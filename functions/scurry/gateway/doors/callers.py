"""What callers say beside a request, in headers, at every HTTP door."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.wire.errors import InvalidRequest

Headers = Mapping[str, str]

STICKY: Final = "Scurry-Key"
"""Request header with the sticky key for weighted splits."""
TRACE: Final = "traceparent"
"""Request header with the trace that a request belongs to."""
TENANT: Final = "X-Scurry-Tenant"
"""Request header with the tenant whose rate a request counts against."""


def said_in(headers: Headers) -> tuple[str, str, str]:
    """Sticky key, trace and tenant, each empty if it is not there. Raises `InvalidRequest`."""
    return _ascii(headers, STICKY), _ascii(headers, TRACE), _ascii(headers, TENANT)


def _ascii(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if value.isascii():
        return value
    raise InvalidRequest("bad_request", f"Header {name} must be ASCII.")
