"""Limits of a model's requests: read, checked and shown."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from scurry.wire.errors import bad_message
from scurry.wire.messages_pb2 import Limits, Record, TenantLimit
from scurry.wire.queue_options import MOST, MOST_MICROS

MOST_TENANTS: Final = 64
"""The limits of a model travel with every call of its router."""
TENANT_BYTES: Final = 128
LEAST_RATE: Final = 1e-6
MOST_RATE: Final = 1e6
"""Requests a second, and at once."""


def _whole(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MOST_MICROS:
        raise bad_message(f"{name} must be a whole number from 0")
    return value


def _size(name: str, value: object) -> int:
    size = _whole(name, value)
    if size > MOST:
        raise bad_message(f"{name} may be at most {MOST}")
    return size


def _tenants(name: str, value: object) -> dict[str, TenantLimit]:
    if not isinstance(value, dict):
        raise bad_message(f"{name} must be an object of tenant: {{rate, burst}}")
    return {tenant: _tenant(f"{name}.{tenant[:64]}", limit) for tenant, limit in value.items()}


def _tenant(name: str, value: object) -> TenantLimit:
    if not isinstance(value, dict) or not value.keys() <= {"rate", "burst"}:
        raise bad_message(f"{name} must be an object with rate and burst")
    for field, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise bad_message(f"{name}.{field} must be a number")
    return TenantLimit(rate=value.get("rate", 0), burst=value.get("burst", 0))


FIELDS: Final[dict[str, Callable[[str, object], Any]]] = {
    "max_queue_size": _size,
    "default_timeout_microseconds": _whole,
    "max_timeout_microseconds": _whole,
    "tenants": _tenants,
}
"""How each field of the verb `limits` is read from JSON."""


def check(limits: Limits) -> None:
    """Give each tenant a burst; raise `InvalidRequest` on what makes no sense, in whatever form it came."""
    _size("limits.max_queue_size", limits.max_queue_size)
    for name in ("default_timeout_microseconds", "max_timeout_microseconds"):
        _whole(f"limits.{name}", getattr(limits, name))
    if 0 < limits.max_timeout_microseconds < limits.default_timeout_microseconds:
        raise bad_message("limits.default_timeout_microseconds is above limits.max_timeout_microseconds")
    if len(limits.tenants) > MOST_TENANTS:
        raise bad_message(f"limits.tenants may have at most {MOST_TENANTS} names; '*' stands for all others together")
    for tenant, limit in limits.tenants.items():
        name = f"limits.tenants.{tenant[:64]}"
        if not tenant or len(tenant.encode()) > TENANT_BYTES or not tenant.isprintable():
            raise bad_message(f"{name} is no name: 1 to {TENANT_BYTES} bytes of what can be printed")
        if not LEAST_RATE <= limit.rate <= MOST_RATE:
            raise bad_message(f"{name}.rate must be above 0 and at most {MOST_RATE:g} requests a second")
        limit.burst = limit.burst or max(1.0, math.ceil(limit.rate))
        if not 1 <= limit.burst <= MOST_RATE:
            raise bad_message(f"{name}.burst must be from 1 to {MOST_RATE:g} requests")


def view(record: Record) -> dict[str, Any]:
    """The limits as readers see them, in the verb's own words; what is not limited is left out."""
    limits = record.limits
    numbers = {name: getattr(limits, name) for name in FIELDS if name != "tenants"}
    shown: dict[str, Any] = {name: number for name, number in numbers.items() if number}
    if limits.tenants:
        shown["tenants"] = plain_tenants(limits.tenants)
    return shown


def plain_tenants(tenants: Mapping[str, TenantLimit]) -> dict[str, Any]:
    """What each tenant may send, as JSON has it."""
    return {name: {"rate": one.rate, "burst": one.burst} for name, one in sorted(tenants.items())}
