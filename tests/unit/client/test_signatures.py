"""What models take, so far as the registry shows it."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.client import signatures
from scurry.client.signatures import Signatures
from scurry.wire.errors import Unavailable


class Records:
    """Shows a record, and counts how often it was asked; `away` is a Redis that does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    async def record(self, model: str) -> dict[str, Any] | None:
        self.asked.append(model)
        if self.away:
            raise Unavailable("unavailable", "Away.")
        port = {"name": "x", "datatype": "FP32", "shape": [-1]}
        version = {"version": "1", "signature": {"inputs": [port]}}
        return {"versions": [version], "routes": {"1": 1}} if model != "ghost" else None


async def test_a_signature_is_looked_up_once_in_a_while() -> None:
    """Of each model and version; what does not exist takes nothing that is known."""
    records = Records()
    known = Signatures(records)
    assert [await known.datatypes("m", "") for _ in range(3)] == [{"x": "FP32"}] * 3
    assert await known.datatypes("ghost", "") == {}
    assert records.asked == ["m", "ghost"]
    assert repr(known) == "<Signatures of 2 models>"


async def test_without_redis_nothing_is_known_nor_remembered() -> None:
    """The request itself waits until it is back."""
    records = Records()
    known = Signatures(records)
    records.away = True
    assert await known.datatypes("m", "") == {}
    records.away = False
    assert await known.datatypes("m", "") == {"x": "FP32"}


async def test_not_all_models_that_ever_were_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """With too many, all are forgotten and looked up anew."""
    monkeypatch.setattr(signatures, "SIGNATURES", 2)
    known = Signatures(Records())
    for name in "abc":
        await known.datatypes(name, "")
    assert repr(known) == "<Signatures of 1 models>"
