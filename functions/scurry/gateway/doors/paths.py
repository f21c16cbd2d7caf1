"""Which operation a method and path of the protocol ask for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from scurry.gateway.ask import check_names

LONGEST_PATH: Final = 1024
READING: Final = ("GET", "HEAD")
BOTH: Final = ("POST", *READING)


class Operation(NamedTuple):
    """What the HTTP door is to do, and for which model."""

    name: str
    model: str = ""
    version: str = ""
    region: str = ""  # of shared memory


class NoSuchPath(Exception):
    """Nothing lives at that path, or not for that method."""

    def __init__(self, status: int, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow


def wrong_method(path: str, method: str, methods: Sequence[str]) -> NoSuchPath:
    """Why a path is not answered that answers other methods."""
    allow = ", ".join(methods)
    return NoSuchPath(405, f"{path!r} answers {allow}, not {method}.", allow)


_FIXED: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {
    ("v2",): ("server", READING),
    ("v2", "health", "live"): ("live", READING),
    ("v2", "health", "ready"): ("ready", READING),
    ("v2", "repository", "index"): ("index", BOTH),
    ("v2", "repository", "models"): ("records", READING),
    ("v2", "models", "stats"): ("statistics", READING),
    ("v2", "trace", "setting"): ("trace", BOTH),
    ("v2", "logging"): ("logging", BOTH),
}
_OF_MODEL: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {
    (): ("metadata", READING),
    ("ready",): ("model_ready", READING),
    ("config",): ("configuration", READING),
    ("infer",): ("infer", ("POST",)),
    ("stats",): ("statistics", READING),
}
_OF_WHOLE_MODEL: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {("trace", "setting"): ("trace", BOTH)}
_OF_REPOSITORY: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {
    (): ("change", BOTH),
    ("load",): ("load", ("POST",)),
    ("unload",): ("unload", ("POST",)),
}
_OF_MEMORY: Final[dict[str, tuple[str, ...]]] = {"status": READING, "register": ("POST",), "unregister": ("POST",)}


@lru_cache(maxsize=4096)
def operation_of(method: str, target: str) -> Operation:
    """The operation for a request line. Raises `NoSuchPath`, or `NotFound` for what cannot be a name."""
    path = target.partition("?")[0]
    if len(path) > LONGEST_PATH:
        raise NoSuchPath(404, "There is nothing at this path.")
    segments = tuple(unquote(segment) for segment in path.strip("/").split("/"))
    found = _found(segments)
    if found is None:
        raise NoSuchPath(404, f"There is nothing at {path!r}: the Open Inference Protocol lives under /v2.")
    operation, methods = found
    if method not in methods:
        raise wrong_method(path, method, methods)
    if operation.model:
        check_names(operation.model, operation.version)
    if operation.name == "change" and method in READING:
        return operation._replace(name="record")
    return operation


def _found(segments: tuple[str, ...]) -> tuple[Operation, tuple[str, ...]] | None:
    """What lives at a path, and for which methods."""
    model = version = ""
    fixed = _FIXED.get(segments)
    if fixed is None and segments[:3] == ("v2", "repository", "models") and len(segments) > 3:
        model, fixed = segments[3], _OF_REPOSITORY.get(segments[4:])
    elif fixed is None and segments[:2] == ("v2", "models") and len(segments) > 2:
        model, rest = segments[2], segments[3:]
        if rest[:1] == ("versions",) and len(rest) > 1 and rest[1]:
            version, rest = rest[1], rest[2:]
        fixed = _OF_MODEL.get(rest) or (None if version else _OF_WHOLE_MODEL.get(rest))
    if fixed is not None:
        name, methods = fixed
        return Operation(name, model, version), methods
    return _memory(segments)


def _memory(segments: tuple[str, ...]) -> tuple[Operation, tuple[str, ...]] | None:
    """What lives at a path of Triton's shared memory: `/v2/systemsharedmemory[/region/<name>]/<act>`."""
    if len(segments) not in (3, 5) or segments[0] != "v2":
        return None
    kind, act = segments[1].removesuffix("sharedmemory"), segments[-1]
    if segments[1] not in ("systemsharedmemory", "cudasharedmemory") or act not in _OF_MEMORY:
        return None
    if len(segments) == 5 and segments[2] != "region":
        return None
    region = segments[3] if len(segments) == 5 else ""
    return Operation(f"{kind}_memory_{act}", region=region), _OF_MEMORY[act]
