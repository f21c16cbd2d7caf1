"""Registry messages carried out, model by model."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.client import applying
from scurry.client.applying import Taken, carry_out
from scurry.client.client import Client
from scurry.client.difference import Step
from scurry.wire.errors import ScurryError, error
from scurry.wire.messages_pb2 import Promote, Update


class Told(Client):
    """Fails each change of a model by what stands here, one after another."""

    def __init__(self, **failures: list[ScurryError]) -> None:
        super().__init__()
        self.failures = failures
        self.done: list[str] = []

    async def update(self, update: Update, **_: Any) -> dict[str, Any]:
        left = self.failures.get(update.model)
        if left:
            raise left.pop(0)
        self.done.append(f"{update.model} {update.promote.version}")
        return {}


def steps(model: str, *versions: str) -> list[Taken]:
    """Promotions of these, in this order."""
    return [
        Taken(Step(model, "promote", one, Update(model=model, promote=Promote(version=one)))) for one in versions
    ]


async def test_a_failure_ends_the_steps_of_its_model_only() -> None:
    """What was not tried says so."""
    client = Told(a=[error("not_allowed", "No.")])
    taken = {"a": steps("a", "1", "2"), "b": steps("b", "1", "2")}
    await carry_out(client, taken)
    assert [one.outcome for one in taken["a"]] == ["not_allowed: No.", "not done"]
    assert [one.outcome for one in taken["b"]] == ["done", "done"]
    assert client.done == ["b 1", "b 2"]


async def test_what_drains_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """But not for ever."""
    monkeypatch.setattr(applying, "PAUSE_S", 0)
    draining = error("model_not_ready", "Version '1' of model 'a' is draining; try again soon.")
    taken = {"a": steps("a", "1")}
    await carry_out(Told(a=[draining, draining]), taken)
    assert taken["a"][0].outcome == "done"
    monkeypatch.setattr(applying, "DRAIN_S", -1)
    taken = {"a": steps("a", "1")}
    await carry_out(Told(a=[draining, draining]), taken)
    assert taken["a"][0].outcome.startswith("model_not_ready: ")
