"""Where a gateway process keeps which shared memory is registered."""

from __future__ import annotations

import logging

from scurry.gateway.admin import is_loopback
from scurry.gateway.describe import Server
from scurry.gateway.region_notes import OwnNotes, notes_of
from scurry.gateway.server_settings import ServerSettings
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import SHM, Notes, SharedMemory
from scurry.settings import GatewaySettings

log = logging.getLogger(__name__)


def state_of(settings: GatewaySettings) -> ServerState:
    """What the doors of one gateway process share, and of its shared memory also its siblings."""
    allowed = settings.client_shared_memory or is_loopback(settings.host)
    memory = SharedMemory(_notes(settings) if allowed else OwnNotes(), allowed=allowed)
    return ServerState(memory, ServerSettings(), Server(settings.server_name, settings.server_version))


def _notes(settings: GatewaySettings) -> Notes:
    """In a folder where siblings share the port. Without such a folder, a region is known where it was registered."""
    if not settings.reuse_port:
        return OwnNotes()
    try:
        return notes_of(SHM, settings.http_port)
    except OSError as cause:
        log.warning("shared memory that callers register is known to one gateway process only: %s", cause)
        return OwnNotes()
