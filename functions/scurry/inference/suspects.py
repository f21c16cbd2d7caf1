"""What may end the process that opens it: it is opened elsewhere first.

A worker was lost while it loaded this, says the registry. Opened in a child process it takes no worker with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from scurry.inference.loaded_model import Key
    from scurry.inference.stock import Place
    from scurry.wire.messages_pb2 import ModelSpec

    Trial = Callable[[Key, ModelSpec], Awaitable[None]]


class Suspects:
    """Registrations to be tried out; without a trial none is."""

    def __init__(self, trial: Trial | None) -> None:
        self._trial = trial
        self._places: set[Place] = set()

    def note(self, place: Place, *, apart: bool) -> None:
        """Remember what is to be tried out before it is opened the next time."""
        if apart and self._trial is not None:
            self._places.add(place)

    async def try_out(self, place: Place, spec: ModelSpec) -> None:
        """Try out a suspect, once. Raises what the trial raises."""
        if place in self._places and self._trial is not None:
            self._places.discard(place)
            await self._trial(place.key, spec)

    def __repr__(self) -> str:
        return f"<Suspects {len(self._places)}>"
