"""Which operation a method and path of the protocol ask for."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from scurry.gateway.ask import check_names

LONGEST_PATH: Final = 1024
READING: Final = ("GET", "HEAD")


class Operation(NamedTuple):
    """What the HTTP door is to do, and for which model."""

    name: str
    model: str = ""
    version: str = ""


class NoSuchPath(Exception):
    """Nothing lives at that path, or not for that method."""

    def __init__(self, status: int, message: str, allow: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.allow = allow


_FIXED: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {
    ("v2",): ("server", READING),
    ("v2", "health", "live"): ("live", READING),
    ("v2", "health", "ready"): ("ready", READING),
    ("v2", "repository", "index"): ("index", ("POST", *READING)),
    ("v2", "repository", "models"): ("records", READING),
}
_OF_MODEL: Final[dict[tuple[str, ...], tuple[str, tuple[str, ...]]]] = {
    (): ("metadata", READING),
    ("ready",): ("model_ready", READING),
    ("config",): ("configuration", READING),
    ("infer",): ("infer", ("POST",)),
}


@lru_cache(maxsize=4096)
def operation_of(method: str, target: str) -> Operation:
    """The operation for a request line. Raises `NoSuchPath`, or `NotFound` for what cannot be a name."""
    path = target.partition("?")[0]
    if len(path) > LONGEST_PATH:
        raise NoSuchPath(404, "There is nothing at this path.")
    segments = tuple(unquote(segment) for segment in path.strip("/").split("/"))
    found = _FIXED.get(segments)
    model = version = ""
    if segments[:3] == ("v2", "repository", "models") and len(segments) == 4:
        model, found = segments[3], ("record" if method in READING else "change", ("POST", *READING))
    if found is None and segments[:2] == ("v2", "models") and len(segments) > 2:
        model, rest = segments[2], segments[3:]
        if rest[:1] == ("versions",) and len(rest) > 1:
            version, rest = rest[1], rest[2:]
        found = _OF_MODEL.get(rest)
    if found is None:
        raise NoSuchPath(404, f"There is nothing at {path!r}: the Open Inference Protocol lives under /v2.")
    name, methods = found
    if method not in methods:
        allow = ", ".join(methods)
        raise NoSuchPath(405, f"{path!r} answers {allow}, not {method}.", allow)
    if model:
        check_names(model, version)
    return Operation(name, model, version)
