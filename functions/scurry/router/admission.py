"""What a request is held to: its deadline, its tenant, its level.

A time-out counts from the stamp that Redis gave the entry, so that a replay comes to the same deadline. Bulk has none
but its own. Level 0 is answered first; bulk comes after every priority.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Final

from scurry.router import tenants
from scurry.router.policy import Refusal
from scurry.wire.messages_pb2 import Request, Routes, VersionRoute
from scurry.wire.names import MOST_LEVELS

LONGEST_STAMP: Final = 15
"""Digits of an entry's milliseconds; what has more was not stamped by a clock."""


class Admission:
    """The rules of one version whose requests are held to any."""

    __slots__ = ("_default_ms", "_levels", "_max_ms", "_normal", "_tenants")

    def __init__(self, route: VersionRoute, routes: Routes) -> None:
        self._default_ms = -(-route.default_timeout_microseconds // 1000)
        self._max_ms = -(-routes.max_timeout_microseconds // 1000)
        self._tenants = routes.tenants
        self._levels = min(max(route.priority_levels, 0), MOST_LEVELS)
        self._normal = min(route.default_priority_level, self._levels)

    @classmethod
    def of(cls, route: VersionRoute, routes: Routes) -> Admission | None:
        """The rules of a version; None when there are none."""
        timeouts = route.default_timeout_microseconds or routes.max_timeout_microseconds
        return cls(route, routes) if timeouts or routes.tenants or route.priority_levels else None

    def take(self, request: Request, stamp: int, full_at: MutableMapping[str, int]) -> Refusal | None:
        """Take the token of a request's tenant, once however often it is sent; why not, if there is none."""
        if not self._tenants or request.attempt:
            return None
        return tenants.take(full_at, self._tenants, request.tenant, stamp)

    def deadline(self, request: Request, stamp: int) -> int:
        """The deadline of a request: its own or the default one, and no later than the latest."""
        deadline = request.deadline
        if request.bulk:
            return deadline
        if not deadline and self._default_ms:
            deadline = stamp + self._default_ms
        if self._max_ms and not 0 < deadline <= stamp + self._max_ms:
            deadline = stamp + self._max_ms
        return deadline

    def level(self, priority: int) -> int:
        """The level of a priority; 0, and what is none of the version's, is the default one."""
        return max(0, (priority if 0 < priority <= self._levels else self._normal) - 1)

    @property
    def bulk_level(self) -> int:
        """The level of bulk: below all others."""
        return max(1, self._levels)

    def __repr__(self) -> str:
        times = f"{self._default_ms} to {self._max_ms} ms"
        return f"<Admission {times}, {self._levels} levels, {len(self._tenants)} tenants>"


def level_of(request: Request, rules: Admission | None) -> int:
    """The level at which a request waits."""
    if rules is None:
        return 1 if request.bulk else 0
    return rules.bulk_level if request.bulk else rules.level(request.priority)


def stamp_of(entry: str, now: int) -> int:
    """When Redis took an entry `<stream>/<ms>-<n>`, epoch ms; of a request that is none, now."""
    digits = entry.rpartition("/")[2].partition("-")[0]
    return int(digits) if digits.isdecimal() and len(digits) <= LONGEST_STAMP else now
