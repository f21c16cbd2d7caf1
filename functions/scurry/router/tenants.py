"""What tenants may send: a bucket of tokens for each, as one number.

The number is when a bucket will be full again, in microseconds. A request takes a token by moving it on by the time
that a token takes to come; there is none when that would be further ahead than a whole burst takes. Pure: by a
request's own stamp, so that a replay, and a backlog that waited for the job, are judged as they were sent.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import Final

from scurry.router.policy import Refusal
from scurry.wire.messages_pb2 import TenantLimit

OTHERS: Final = "*"
"""All tenants together that have no limit of their own."""
LEAST: Final = 1e-6
MOST: Final = 1e6
"""What is no rate within these, which the registry sees to, limits nobody."""


def take(
    full_at: MutableMapping[str, int], limits: Mapping[str, TenantLimit], tenant: str, stamp_ms: int
) -> Refusal | None:
    """Take a token of a tenant's bucket; why not, if there is none."""
    name = tenant if tenant in limits else OTHERS
    limit, now = limits.get(name), stamp_ms * 1000
    if limit is None or not (LEAST <= limit.rate <= MOST and 1 <= limit.burst <= MOST):
        return None
    full, wait = moved(full_at.get(name, 0), now, limit.rate, limit.burst)
    if not wait:
        full_at[name] = full
        return None
    who = f"Tenant {tenant[:64]!r}" if name != OTHERS else "Whoever has no limit of their own"
    said = f"{who} may send {limit.rate:g} requests a second, {limit.burst:g} at once"
    return Refusal("rate_limited", f"{said}; try again in {wait / 1e6:.2g} s.")


def moved(full: int, now: int, rate: float, burst: float) -> tuple[int, int]:
    """When the bucket is full again after a request (µs), and how long until there is a token, 0 if there is one."""
    token = max(1, round(1e6 / rate))
    after = max(full, now) + token
    return after, max(0, after - now - round(burst * token))
