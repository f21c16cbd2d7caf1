"""What tenants may send."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.router.tenants import take
from scurry.wire.messages_pb2 import TenantLimit

START = 1_700_000_000_000


def taken(limits: dict[str, TenantLimit], stamps: list[int], tenant: str = "a") -> list[bool]:
    """Which of these requests, in this order, have a token."""
    full_at: dict[str, int] = {}
    return [take(full_at, limits, tenant, stamp) is None for stamp in stamps]


def test_a_burst_then_the_rate() -> None:
    """Three at once, then one every half second; what is refused takes nothing."""
    limits = {"a": TenantLimit(rate=2, burst=3)}
    assert taken(limits, [START] * 5) == [True] * 3 + [False] * 2
    stamps = [START, START, START, START + 499, START + 500, START + 501, START + 1_000, START + 60_000]
    assert taken(limits, stamps) == [True, True, True, False, True, False, True, True]


def test_a_refusal_says_when() -> None:
    """In a sentence with the limit and the time."""
    full_at: dict[str, int] = {}
    limits = {"a": TenantLimit(rate=2, burst=1), "*": TenantLimit(rate=0.5, burst=1)}
    assert take(full_at, limits, "a", START) is None
    refusal = take(full_at, limits, "a", START + 100)
    assert refusal is not None
    assert refusal.code == "rate_limited"
    assert refusal.message == "Tenant 'a' may send 2 requests a second, 1 at once; try again in 0.4 s."
    assert take(full_at, limits, "b", START) is None
    refusal = take(full_at, limits, "", START)
    assert refusal is not None
    assert refusal.message.startswith("Whoever has no limit of their own may send 0.5 requests a second")


def test_who_has_no_limit_is_not_limited() -> None:
    """Nor is anything kept of them."""
    full_at: dict[str, int] = {}
    assert all(take(full_at, {"b": TenantLimit(rate=1, burst=1)}, name, START) is None for name in ["a", ""] * 9)
    assert not full_at


@settings(deadline=None)
@given(
    st.floats(0.01, 1_000),
    st.integers(1, 50),
    st.lists(st.integers(0, 20_000), min_size=1, max_size=200).map(sorted),
)
def test_no_window_has_more_than_burst_and_rate(rate: float, burst: int, offsets: list[int]) -> None:
    """Within any stretch of time: at most a burst and what the rate gives; and not less than that gives."""
    stamps = [START + offset for offset in offsets]
    have = taken({"a": TenantLimit(rate=rate, burst=burst)}, stamps)
    went = [stamp for stamp, ok in zip(stamps, have, strict=True) if ok]
    for at, first in enumerate(went):
        for count, last in enumerate(went[at:], 1):
            assert count <= burst + rate * (last - first) / 1000 * (1 + 1e-3) + 1e-3
    assert len(went) >= min(len(stamps), burst)


@pytest.mark.parametrize("limit", [TenantLimit(), TenantLimit(rate=float("nan"), burst=1), TenantLimit(rate=1)])
def test_what_is_no_limit_limits_nobody(limit: TenantLimit) -> None:
    """The registry lets none such through."""
    assert taken({"a": limit}, [START] * 3) == [True] * 3
