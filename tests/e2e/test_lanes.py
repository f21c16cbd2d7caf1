"""The lanes of a version follow its backlog, a message, or its config, through the real job."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING

from tests.e2e.test_limits import ONE, WAIT_S, save_negation
from tests.e2e.test_lost_worker import slow_model

from scurry.client.client import Client

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Stack


async def lanes(client: Client, model: str, least: int) -> dict[str, int]:
    """The lanes of version 1 in the view, once there are so many."""
    end = time.monotonic() + WAIT_S
    while True:
        record = await client.record(model) or {"versions": [{"lanes": {"count": 0}}]}
        found: dict[str, int] = record["versions"][0]["lanes"]
        if found["count"] >= least:
            return found
        assert time.monotonic() < end, f"{found}, not {least}"
        await asyncio.sleep(0.1)


async def test_a_backlog_brings_lanes_up_to_what_is_told(stack: Stack, tmp_path: Path) -> None:
    """One at first; more once their workers have loaded the version; every request is answered, then and after."""
    stack.register("lanes-slow", slow_model(tmp_path / "slow.onnx"))
    stack.run("models", "lanes", "lanes-slow", "--max", "1")
    async with Client(stack.redis_url) as client:
        assert await lanes(client, "lanes-slow", 1) == {"count": 1, "min": 1, "max": 1}
        stack.run("models", "lanes", "lanes-slow", "--min", "1", "--max", "3")
        assert await lanes(client, "lanes-slow", 1) == {"count": 1, "min": 1, "max": 3}
        asked = [asyncio.create_task(client.infer("lanes-slow", ONE, timeout=60)) for _ in range(40)]
        assert await lanes(client, "lanes-slow", 3) == {"count": 3, "min": 1, "max": 3}
        stack.run("models", "lanes", "lanes-slow", "--max", "1")
        assert all(answer["y"].shape == (1, 1) for answer in await asyncio.gather(*asked))
        assert await lanes(client, "lanes-slow", 1) == {"count": 1, "min": 1, "max": 1}
        assert (await client.infer("lanes-slow", ONE))["y"].shape == (1, 1)
    shown = stack.run("models", "show", "lanes-slow").stdout
    assert "version 1 lanes 1 (1 to 1)" in shown


def test_an_instance_group_is_a_number_of_lanes(stack: Stack, tmp_path: Path) -> None:
    """As in a Triton repository, if the model is registered with it."""
    (tmp_path / "three.json").write_text(json.dumps({"instance_group": [{"count": 3, "kind": "KIND_CPU"}]}))
    stack.register("lanes-three", save_negation(tmp_path / "minus.onnx"), "1", "--config", str(tmp_path / "three.json"))
    record = json.loads(stack.run("models", "show", "lanes-three", "--json").stdout)["versions"][0]
    assert (record["lanes"], record["warnings"]) == ({"count": 3, "min": 3, "max": 3}, [])
