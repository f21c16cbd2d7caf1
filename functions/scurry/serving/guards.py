"""What guards the gateway's doors, as its settings want it."""

from __future__ import annotations

import logging
import resource
from typing import Final, NamedTuple

from scurry.gateway.access import Access
from scurry.gateway.doors.cors import Cors
from scurry.rules import InvalidSettings
from scurry.serving.rereading import Rereading
from scurry.serving.tls import Tls, rereadings, tls_of, told
from scurry.settings import GatewaySettings

log = logging.getLogger(__name__)

SPARE_FILES: Final = 128
"""Open files that are no callers' connections: Redis, logs, the loop's own."""


class Guards(NamedTuple):
    """Keys, TLS and origins, each of them read once and again when its files change."""

    access: Access
    tls: Tls | None
    cors: Cors | None

    @classmethod
    def of(cls, settings: GatewaySettings) -> Guards:
        """As the settings say. Raises `InvalidSettings` with one sentence."""
        origins = [one for one in settings.cors_origins.replace(" ", "").split(",") if one]
        try:
            access = Access(settings.api_keys, admin_key=settings.admin_key)
        except (OSError, ValueError) as cause:
            raise InvalidSettings(f"--api-keys {settings.api_keys}: {told(cause)}") from None
        return cls(access, tls_of(settings), Cors(origins) if origins else None)

    def rereadings(self) -> list[Rereading]:
        """What is read again when it changes."""
        found = []
        if self.access.path is not None:
            found.append(Rereading("API keys", [self.access.path], self.access.reread))
        return found + rereadings(self.tls)


def room_for(connections: int) -> int:
    """How many connections there may be: as wanted, if the system lets a process have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or soft < hard:
        wanted = connections + SPARE_FILES if hard == resource.RLIM_INFINITY else hard
        if wanted > soft:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    most = max(1, soft - SPARE_FILES)
    if connections > most:
        log.warning("%d connections are the most here, for so many files may be open", most)
    return min(connections, most) if connections else most
