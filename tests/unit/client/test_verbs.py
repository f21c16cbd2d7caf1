"""The registry's verbs: plain values in, messages that the registry reads out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from scurry.client.client import Client
from scurry.client.verbs import RegistryVerbs
from scurry.registry.update import read
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import (
    Alias,
    LaneRange,
    Limits,
    LoadVersion,
    Pin,
    Policy,
    Promote,
    Rollback,
    Rollout,
    Shadow,
    Split,
    TenantLimit,
    UnloadVersion,
    Update,
)

Verb = Callable[[RegistryVerbs], Awaitable[Any]]

CASES: list[tuple[Verb, Any]] = [
    (lambda to: to.alias("m", "stable", "1"), Alias(alias="stable", version="1")),
    (lambda to: to.alias("m", "stable"), Alias(alias="stable")),
    (lambda to: to.split("m", {"1": 90, "2": 10}), Split(weights={"1": 90, "2": 10})),
    (lambda to: to.promote("m", "2"), Promote(version="2")),
    (lambda to: to.rollback("m"), Rollback()),
    (lambda to: to.shadow("m", "2"), Shadow(version="2", percent=10)),
    (lambda to: to.shadow("m", "2", percent=5), Shadow(version="2", percent=5)),
    (lambda to: to.shadow("m"), Shadow()),
    (lambda to: to.policy("m", latest=2), Policy(latest=2)),
    (lambda to: to.policy("m", all=True), Policy(all=True)),
    (lambda to: to.policy("m", specific=("1",)), Policy(specific=["1"])),
    (lambda to: to.lanes("m", min=1, max=4), LaneRange(min=1, max=4)),
    (lambda to: to.lanes("m"), LaneRange()),
    (lambda to: to.load("m", "1"), LoadVersion(version="1")),
    (lambda to: to.unload("m", "1"), UnloadVersion(version="1")),
    (lambda to: to.unload("m", "1", force=True), UnloadVersion(version="1", force=True)),
    (lambda to: to.pin("m", "1"), Pin(version="1", pinned=True)),
    (lambda to: to.pin("m", "1", pinned=False), Pin(version="1", pinned=False)),
    (
        lambda to: to.limits("m", max_queue_size=9, max_timeout=1.5, tenants={"a": {"rate": 5, "burst": 20}}),
        Limits(max_queue_size=9, max_timeout_microseconds=1_500_000, tenants={"a": TenantLimit(rate=5, burst=20)}),
    ),
    (
        lambda to: to.rollout("m", "2", [1, 100], hold=600, max_error_rate=0.01),
        Rollout(version="2", steps=[1, 100], hold_ms=600_000, max_error_rate=0.01),
    ),
    (lambda to: to.abort_rollout("m"), Rollout(abort=True)),
]


class Told(Client):
    """Keeps what the registry is told."""

    def __init__(self) -> None:
        super().__init__()
        self.updates: list[Update] = []

    async def update(self, update: Update, **_: Any) -> dict[str, Any]:
        self.updates.append(update)
        return {"model": update.model}


@pytest.mark.parametrize(("verb", "said"), CASES)
async def test_a_verb_is_a_message_the_registry_reads(verb: Verb, said: Any) -> None:
    """With the fields that were given, and no others."""
    client = Told()
    assert await verb(RegistryVerbs(client)) == {"model": "m"}
    change = read(client.updates[0])
    assert getattr(change, change.WhichOneof("change") or "") == said


@pytest.mark.parametrize("said", [{}, {"latest": 1, "all": True}, {"all": True, "specific": ["1"]}])
async def test_a_policy_is_one_of_three(said: Any) -> None:
    """Two at once contradict each other."""
    client = Told()
    with pytest.raises(InvalidRequest, match="one of latest=N, all=True and specific"):
        await RegistryVerbs(client).policy("m", **said)
    assert client.updates == []
