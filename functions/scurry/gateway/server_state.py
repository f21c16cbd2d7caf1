"""What is this process' own, whichever door asks for it."""

from __future__ import annotations

from typing import NamedTuple

from scurry.gateway.describe import OURS, Server
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.server_settings import ServerSettings
from scurry.gateway.shared_memory import SharedMemory


class ServerState(NamedTuple):
    """One for all doors, so that what is set or registered at one of them holds at the others."""

    memory: SharedMemory
    settings: ServerSettings
    server: Server = OURS

    @classmethod
    def private(cls) -> ServerState:
        """Of a gateway that nobody shares memory with."""
        return cls(SharedMemory(OwnNotes(), allowed=False), ServerSettings())
