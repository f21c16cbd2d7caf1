"""What lies beside a model that is registered from here.

Router and registry do not see a model's files: what they go by is told with the registration, where whoever registers
it can read them. What cannot be read, or holds no model, is the worker's to say.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from scurry.cli.repository import OF_REGISTRATION, versions
from scurry.runtimes.catalog import Opener
from scurry.serving.folder import expanded
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import ModelSpec
from scurry.wire.names import MODEL_NAME


def place_of(uri: str) -> Path | None:
    """Where a path or `file://` leads on this machine; None where nothing is there, or it leads elsewhere."""
    if "://" in uri:
        parts = urlsplit(uri)
        uri = unquote(parts.path) if parts.scheme == "file" and parts.netloc in {"", "localhost"} else ""
    try:
        path = expanded(uri)
        return path.resolve() if uri and path.exists() else None
    except (OSError, ValueError):
        return None


def newest(place: Path, model: str, runtime: str, given: str = "") -> str:
    """The newest version in a repository, or in a model's own directory of one; empty where it is none."""
    if not MODEL_NAME.fullmatch(model):
        return ""
    if (place / model).is_dir():
        return (versions(place, model) or [""])[-1]
    numbers = [name for name in versions(place.parent, place.name) if name.isdecimal()]
    return numbers[-1] if numbers and _config(place, model, "", runtime, given) is None else ""


def told_beside(place: Path, model: str, version: str, runtime: str, given: str = "") -> dict[str, Any]:
    """What of the configs beside a model only has effect where it is registered with it."""
    config = _config(place, model, version, runtime, given) or {}
    return {name: config[name] for name in OF_REGISTRATION if name in config}


def _config(place: Path, model: str, version: str, runtime: str, given: str) -> dict[str, Any] | None:
    """The configs beside it, as a worker that is `given` one reads them; None where no model is found."""
    try:
        spec = ModelSpec(uri=str(place), runtime=runtime, config=given)
        return Opener().locate(model, version, spec)[1].config
    except (ScurryError, OSError, ValueError):
        return None
