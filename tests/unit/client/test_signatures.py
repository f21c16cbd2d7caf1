"""What models take, so far as the registry shows it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from scurry.client import signatures
from scurry.client.signatures import Signatures
from scurry.wire.errors import InvalidRequest, NotFound, Unavailable


class Records:
    """Knows what models take, and counts how often it was asked; `away` is a Redis that does not answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.away = False

    async def inputs_of(self, model: str, version: str) -> Mapping[str, str]:
        self.asked.append(model)
        if self.away:
            raise Unavailable("unavailable", "Away.")
        if model == "ghost":
            raise NotFound("model_not_found", "No model is called 'ghost'.")
        return {"silent": {}, "two": {"a": "FP32", "b": "INT64"}}.get(model, {"x": "FP32"})


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


async def test_one_array_is_for_the_only_input() -> None:
    """With none or several, the sentence names them and says what to do."""
    known = Signatures(Records())
    assert await known.only_input("m", "") == "x"
    with pytest.raises(InvalidRequest, match=r"2 inputs \(a, b\): pass a mapping") as caught:
        await known.only_input("two", "")
    assert caught.value.code == "input_name"
    with pytest.raises(InvalidRequest, match="does not say what it takes: pass a mapping"):
        await known.only_input("silent", "")


async def test_what_was_not_known_is_looked_up_again_for_one_array() -> None:
    """A model may have been registered a moment ago."""
    records = Records()
    known = Signatures(records)
    for _ in range(2):
        with pytest.raises(NotFound):
            await known.only_input("ghost", "")
    assert records.asked == ["ghost"] * 3
