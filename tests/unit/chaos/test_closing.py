"""What is held to account at the end: planted differences are found."""

from __future__ import annotations

from typing import Any

import pytest
from tests.chaos import closing
from tests.chaos.closing import Kept
from tests.chaos.ledger import Ledger


class FakeRedis:
    """Answers what it was made with."""

    def __init__(self, hashes: dict[str, dict[bytes, bytes]], reply: dict[bytes, bytes] | None = None) -> None:
        self.hashes, self.reply = hashes, reply

        self.audits: list[Any] = []

    def xrange(self, _: str) -> list[Any]:
        """The audit."""
        return self.audits

    def hgetall(self, key: str) -> dict[bytes, bytes]:
        """A hash."""
        return self.hashes.get(key, {})

    def xadd(self, *_: Any) -> None:
        """Written."""

    def xread(self, streams: dict[str, str], **_: Any) -> list[Any]:
        """The one reply there is."""
        return [[next(iter(streams)), [(b"1-0", self.reply)]]] if self.reply else []


@pytest.mark.parametrize(
    ("told", "wrong"),
    [
        ({b"status": b"ok", b"version": b"1"}, 0),
        ({b"status": b"ok", b"version": b"2"}, 1),
        ({b"status": b"error", b"version": b"1"}, 1),
        ({}, 1),
    ],
)
def test_a_result_that_differs_is_found(monkeypatch: Any, told: dict[bytes, bytes], wrong: int) -> None:
    """Another version, an error, or none at all."""
    monkeypatch.setattr(closing, "connect", lambda *_: FakeRedis({"scurry:result:a": told}))
    ledger = Ledger()
    assert closing.check_results("", [Kept("a", "1")], ledger) == 1
    assert ledger.wrongs["results_differ"] == wrong


@pytest.mark.parametrize(
    ("numbers", "wrong"),
    [([1, 2, 3], 0), ([1, 2, 2, 3, 3], 0), ([1, 3], 1), ([1, 2], 1), ([1, 2, 3, 4, 5], 1), ([], 1)],
)
def test_a_change_applied_twice_or_never_is_found(monkeypatch: Any, numbers: list[int], wrong: int) -> None:
    """An audit that was written again under the same number is no second change."""
    link = FakeRedis({})
    link.audits = [(b"", {b"model": b"m", b"sequence": b"%d" % n, b"outcome": b"applied"}) for n in numbers]
    monkeypatch.setattr(closing, "connect", lambda *_: link)
    ledger = Ledger()
    closing.check_audit("", "m", 3, 4, ledger)
    assert ledger.wrongs["counters_off"] == wrong


@pytest.mark.parametrize(
    ("reply", "slow", "wrong"),
    [({b"status": b"ok"}, False, 0), ({b"status": b"no"}, False, 1), (None, False, 1), ({b"status": b"ok"}, True, 1)],
)
def test_a_model_that_does_not_drain_is_found(
    monkeypatch: Any, reply: dict[bytes, bytes] | None, slow: bool, wrong: int
) -> None:
    """Refused, unanswered, or only after its limit."""
    monkeypatch.setattr(closing, "connect", lambda *_: FakeRedis({}, reply))
    monkeypatch.setattr(closing, "DRAIN_S", -1 if slow else 20)
    ledger = Ledger()
    closing.check_drains("", ["m"], ledger)
    assert ledger.wrongs["counters_off"] == wrong


@pytest.mark.parametrize(
    ("looks", "wrong"),
    [([[0]], 0), ([[7], [3], [0]], 0), ([[], [0, 0]], 0), ([[7], [7]], 1), ([[0, -1]], 1), ([[]], 1)],
)
def test_a_request_that_is_counted_for_ever_is_found(monkeypatch: Any, looks: list[list[int]], wrong: int) -> None:
    """The gauge may be behind for a while; one that never comes to nothing, or is never told, is a fault."""
    monkeypatch.setattr(closing, "in_flight", lambda _: looks.pop(0) if len(looks) > 1 else looks[0])
    monkeypatch.setattr(closing, "COUNTED_S", 0.2)
    monkeypatch.setattr(closing.time, "sleep", lambda _: None)
    ledger = Ledger()
    stack: Any = None
    closing.check_in_flight(stack, ledger)
    assert ledger.wrongs["counters_off"] == wrong
