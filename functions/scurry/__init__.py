"""Scurry: many models, one stream."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scurry.wire.errors import Failed, InvalidRequest, NotFound, ScurryError, Unavailable

if TYPE_CHECKING:
    from scurry.client.blocking import BlockingClient
    from scurry.client.client import Client
    from scurry.runtimes.user_model import Model

__all__ = ["BlockingClient", "Client", "Failed", "InvalidRequest", "Model", "NotFound", "ScurryError", "Unavailable"]

_FACE = {
    "Client": "scurry.client.client",
    "BlockingClient": "scurry.client.blocking",
    "Model": "scurry.runtimes.user_model",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - a module's attributes are of any type
    """Import a name when it is first asked for, so that `import scurry` stays light."""
    if name not in _FACE:
        raise AttributeError(f"module 'scurry' has no attribute {name!r}")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_FACE[name]), name)
