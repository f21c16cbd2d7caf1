"""Which scope a gRPC method needs, and for which model.

What is not here needs `admin`, so that a method that forgets its row is closed and not open.
"""

from __future__ import annotations

from typing import Any, Final

from scurry.gateway.access import ANY_MODEL
from scurry.gateway.doors.scopes import NOBODYS, Needed

_PROBES: Final = frozenset(("ServerLive", "ServerReady"))
_OF_MODEL: Final = frozenset(("ModelReady", "ModelMetadata", "ModelConfig", "ModelStatistics"))
_OF_ALL: Final = frozenset(("RepositoryIndex", "SystemSharedMemoryStatus", "CudaSharedMemoryStatus"))
_SETTINGS: Final = frozenset(("TraceSetting", "LogSettings"))


def scope_of(method: str, asked: Any) -> Needed:  # noqa: ANN401 - one of the protocol's messages
    """What a call of this method with this message needs."""
    if method in _PROBES:
        return Needed(NOBODYS)
    if method == "ServerMetadata":
        return Needed("read")
    if method in _OF_MODEL:
        return Needed("read", asked.name or ANY_MODEL)
    if method in _OF_ALL or (method in _SETTINGS and not asked.settings):
        return Needed("read", ANY_MODEL)
    return Needed("admin", getattr(asked, "model_name", "") or ANY_MODEL)
