"""Counters, a shadow and a rollout through all functions, in one process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.inference.toys import DictPayloads, Shop, Toy, body, row

from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Subject
from scurry.runtimes.runtime import Runtime
from scurry.testing import Harness
from scurry.wire.names import Keys


def second(x: Any) -> Any:
    """Version 2 answers half as much more, and fails above 90."""
    if (x > 90).any():
        raise ValueError("too large")
    return [x + 1.5]


class Versions(Shop):
    """Opens another toy for version 2."""

    def open(self, subject: Subject, config: str) -> Runtime:
        """By the version's directory."""
        return Toy(second) if subject.file.path.name == "2" else super().open(subject, config)


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    """Versions 1 and 2 of m, of which 1 takes the requests."""
    shelf = Shelf(Versions(), budget=1000)
    inference = Inference(shelf, DictPayloads(), keys=Keys("ns"), clock=lambda: 1_700_000_000.0)
    made = Harness(inference)
    await made.register("m", "toy", "1")
    await made.update("m", '{"promote": {"version": "1"}}')
    await made.register("m", "toy", "2")
    yield made
    await inference.close()


async def ask(harness: Harness, count: int, value: float, **fields: Any) -> None:
    """So many requests, one after the other."""
    for _ in range(count):
        await harness.ask(harness.request("m", body=body(x=row(value, value)), **fields))


def record(harness: Harness) -> dict[str, Any]:
    """What readers see of the model."""
    return harness.out.views["m"]


async def test_the_view_shows_what_was_answered(harness):
    """After a while without requests nothing is left to be told."""
    await ask(harness, 11, 1)
    await ask(harness, 1, 1, version="9")
    await harness.ask(harness.request("m", body=b"?"))
    await harness.advance(5_000)
    one = record(harness)["versions"][0]
    assert (one["requests"], one["ok"], one["errors"], one["refused"]) == (12, 11, {"bad_request": 1}, 0)
    assert (sum(one["batch_sizes"].values()), record(harness)["unrouted"]) == (11, {"version_not_found": 1})
    assert harness.waiting == 0
    assert not [address for address in harness.states if address[0].endswith("inference")]


async def test_a_shadow_is_compared_and_may_fail(harness):
    """Callers are answered by version 1 alone."""
    await harness.update("m", json.dumps({"shadow": {"version": "2", "percent": 100}}))
    await ask(harness, 5, 1)
    await ask(harness, 2, 99)
    await harness.advance(5_000)
    shadow = record(harness)["shadow"]["2"]
    assert (shadow["compared"], shadow["equal"], shadow["max_abs_diff"]) == (5, 0, 0.5)
    assert (shadow["errors"], shadow["dropped"]) == ({"model_failed": 2}, 0)
    assert {(reply.version, reply.error) for reply in harness.out.replies.values() if reply.version} == {("1", "")}
    assert not harness.out.dead
    assert [one["requests"] for one in record(harness)["versions"]] == [7, 0]


async def test_a_bad_version_goes_back_as_its_counts_arrive(harness):
    """No time has to pass: the router tells at once of what is rolled out."""
    plan = {"version": "2", "steps": [50, 100], "hold_ms": 60_000, "min_requests": 10, "max_error_rate": 0.2}
    await harness.update("m", json.dumps({"rollout": plan}))
    await ask(harness, 40, 99)
    failed = [reply for reply in harness.out.replies.values() if reply.error]
    assert record(harness)["rollout"]["state"] == "rolled_back"
    assert len(failed) == 3  # the first that cannot be within 20 % of 10
    assert record(harness)["routes"] == {"1": 1}


async def test_a_good_version_goes_on_by_itself(harness):
    """Step by step, as time passes and it has answered enough."""
    plan = {"version": "2", "steps": [50, 100], "hold_ms": 60_000, "min_requests": 10, "max_error_rate": 0.2}
    await harness.update("m", json.dumps({"rollout": plan}))
    await ask(harness, 40, 1)
    await harness.advance(59_000)
    assert record(harness)["rollout"]["step"] == 1
    await harness.advance(2_000)
    assert (record(harness)["rollout"]["step"], record(harness)["routes"]) == (2, {"2": 10_000})
    await ask(harness, 10, 1)
    await harness.advance(61_000)
    assert (record(harness)["rollout"]["state"], harness.waiting) == ("finished", 0)
