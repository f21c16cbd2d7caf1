"""What models take, so far as the registry shows it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final, Protocol

from scurry.wire.errors import InvalidRequest, NotFound, Unavailable

SIGNATURE_S: Final = 10.0
"""How long a model's signature is remembered."""
SIGNATURES: Final = 1024


class Ports(Protocol):
    """Who tells what a model takes."""

    async def inputs_of(self, model: str, version: str) -> Mapping[str, str]:
        """The model's inputs with their data types; empty when it does not say. Raises `NotFound`."""
        ...


class Signatures:
    """Data types of models' inputs, remembered for a while."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._known: dict[tuple[str, str], tuple[Mapping[str, str], float]] = {}

    async def datatypes(self, model: str, version: str) -> Mapping[str, str]:
        """The model's inputs with their data types, none where nothing is known."""
        now = time.monotonic()
        known, at = self._known.get((model, version), ({}, -SIGNATURE_S))
        if now - at >= SIGNATURE_S:
            try:
                known = await self._ports.inputs_of(model, version)
            except Unavailable:  # the request itself waits until whoever would know is back
                return {}
            except NotFound:  # the job says so itself, if it is true
                known = {}
            if len(self._known) >= SIGNATURES:
                self._known.clear()
            self._known[model, version] = known, now
        return known

    async def only_input(self, model: str, version: str) -> str:
        """The name of the model's input. Raises `input_name` unless there is exactly one, or `NotFound`."""
        known = await self.datatypes(model, version) or await self._ports.inputs_of(model, version)
        if len(known) == 1:
            return next(iter(known))
        say = "pass a mapping of names to arrays"
        if not known:
            raise InvalidRequest("input_name", f"Model {model!r} does not say what it takes: {say}.")
        raise InvalidRequest("input_name", f"Model {model!r} has {len(known)} inputs ({', '.join(known)}): {say}.")

    def __repr__(self) -> str:
        return f"<Signatures of {len(self._known)} models>"
