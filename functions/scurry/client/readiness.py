"""Whether models can be asked: the way to them, and one of them."""

from __future__ import annotations

from typing import Final

from scurry.client.registry import version_of
from scurry.client.requests import RequestSender
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferRequest

PROBE: Final = "scurry-readiness-probe"
"""Model name that nobody registers: that it is not found has been said by the job."""
NO_VERSION: Final = "!"
"""A version that no model can have, so that the router does not wait for it to be registered."""
PROBE_S: Final = 3.0
SILENT: Final = frozenset({"deadline_exceeded", "unavailable"})
"""Codes that the client itself makes, without the job."""


class ReadinessProbe(RequestSender):
    """Asks whether it can ask."""

    async def live(self) -> bool:
        """Whether Redis, or the gateway, answers."""
        try:
            await self.ping()
        except ScurryError:
            return False
        return True

    async def ready(self, model: str = "", version: str = "") -> bool:
        """Whether requests are answered at all, or by this model, or this version of it."""
        if model:
            found = version_of(await self.record(model) or {}, version)
            return found is not None and found.get("state") == "ready"
        try:
            await self.ask(PROBE, InferRequest(), version=NO_VERSION, timeout=PROBE_S)
        except ScurryError as failure:
            return failure.code not in SILENT
        return True
