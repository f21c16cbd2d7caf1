"""What is opened elsewhere first."""

from __future__ import annotations

import pytest

from scurry.inference.stock import Place
from scurry.inference.suspects import Suspects
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

PLACE, SPEC = Place("m", "1", "i"), ModelSpec(uri="toy")


async def test_a_suspect_is_tried_out_once():
    """Others are not, and a trial that fails is told."""
    tried: list[tuple[str, str]] = []

    async def trial(key, spec) -> None:
        tried.append(key)
        if spec.uri == "bad":
            raise Failed("load_failed", "it died")

    suspects = Suspects(trial)
    suspects.note(Place("m", "2", "i"), apart=False)
    suspects.note(PLACE, apart=True)
    assert repr(suspects) == "<Suspects 1>"
    for place in (Place("m", "2", "i"), PLACE, PLACE):
        await suspects.try_out(place, SPEC)
    assert tried == [("m", "1")]
    suspects.note(PLACE, apart=True)
    with pytest.raises(Failed, match="it died"):
        await suspects.try_out(PLACE, ModelSpec(uri="bad"))
    assert repr(suspects) == "<Suspects 0>"


async def test_without_a_trial_nothing_is_suspect():
    """A worker without child processes opens what it is asked to."""
    suspects = Suspects(None)
    suspects.note(PLACE, apart=True)
    await suspects.try_out(PLACE, SPEC)
    assert repr(suspects) == "<Suspects 0>"
