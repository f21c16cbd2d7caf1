"""What callers say beside a request, in headers or metadata."""

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


METADATA: Final = (STICKY.lower(), TRACE, TENANT.lower())
"""The same in gRPC's metadata, whose names are in lower case."""


def said_in(headers: Headers) -> tuple[str, str, str]:
    """Sticky key, trace and tenant, each empty if it is not there. Raises `InvalidRequest`."""
    return _ascii(headers, STICKY), _ascii(headers, TRACE), _ascii(headers, TENANT)


def said_in_metadata(metadata: Headers) -> tuple[str, str, str]:
    """The same of a gRPC call."""
    sticky, trace, tenant = METADATA
    return _ascii(metadata, sticky), _ascii(metadata, trace), _ascii(metadata, tenant)


def _ascii(headers: Headers, name: str) -> str:
    value = headers.get(name, "")
    if value.isascii():
        return value
    raise InvalidRequest("bad_request", f"{name} must be ASCII.")
