"""Registry messages carried out, model by model."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scurry.client.difference import Step
from scurry.wire.errors import ScurryError

if TYPE_CHECKING:
    from scurry.client.client import Client

AT_ONCE: Final = 8
"""Models that are changed at a time."""
LOAD_S: Final = 600.0
PAUSE_S: Final = 0.5
DRAIN_S: Final = 90.0
"""A version that is draining may be registered again so much later."""


@dataclass(slots=True)
class Taken:
    """A step, and what came of it."""

    step: Step
    outcome: str = "not done"


async def carry_out(client: Client, taken: Mapping[str, Sequence[Taken]]) -> None:
    """Model by model, several at a time. What fails ends the steps of its model, and of no other."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(steps: Sequence[Taken]) -> None:
        async with room:
            for taken_one in steps:
                taken_one.outcome = await _take(client, taken_one.step)
                if taken_one.outcome != "done":
                    return

    await asyncio.gather(*map(one, taken.values()))


async def _take(client: Client, step: Step) -> str:
    """Send the message; what is draining is waited for."""
    end = time.monotonic() + DRAIN_S
    while True:
        try:
            await client.update(step.update, timeout=LOAD_S)
        except ScurryError as failure:
            draining = failure.code == "model_not_ready" and "draining" in failure.message
            if not draining or time.monotonic() > end:
                return f"{failure.code}: {failure.message}"
            await asyncio.sleep(PAUSE_S)
        else:
            return "done"
