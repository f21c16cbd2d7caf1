"""What models take, so far as the registry shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, Final, Protocol

from scurry.client.registry import signature_of
from scurry.wire.errors import Unavailable

SIGNATURE_S: Final = 10.0
"""How long a model's signature is remembered."""
SIGNATURES: Final = 1024


class Records(Protocol):
    """Who shows a model's record."""

    async def record(self, model: str) -> dict[str, Any] | None:
        """One model's record; None when there is none."""
        ...


class Signatures:
    """Data types of models' inputs, remembered for a while."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._known: dict[tuple[str, str], tuple[Mapping[str, str], float]] = {}

    async def datatypes(self, model: str, version: str) -> Mapping[str, str]:
        """The model's inputs with their data types."""
        now = time.monotonic()
        known, at = self._known.get((model, version), ({}, -SIGNATURE_S))
        if now - at >= SIGNATURE_S:
            try:
                signature = signature_of(await self._records.record(model) or {}, version) or {}
            except Unavailable:  # the request itself waits until Redis is back
                return {}
            known = {port["name"]: port["datatype"] for port in signature.get("inputs", ())}
            if len(self._known) >= SIGNATURES:
                self._known.clear()
            self._known[model, version] = known, now
        return known

    def __repr__(self) -> str:
        return f"<Signatures of {len(self._known)} models>"
