"""Which scope a method and path need, and for which model.

Read as the doors read it: segments between slashes, each unquoted. What is not here needs `admin`, so that a door that
forgets its row is closed and not open; a test holds every path of the document against these rows.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from scurry.gateway.access import ANY_MODEL

NOBODYS: Final = ""
"""The scope of what everybody may: a probe has no key."""

_READING: Final = frozenset(("GET", "HEAD"))
_ASKING: Final = frozenset(("infer", "generate", "generate_stream"))
_HEALTH: Final = frozenset(((), ("live",), ("ready",)))
_TOLD: Final = frozenset(("openapi.json", "docs"))
"""What says how to call us."""


class Needed(NamedTuple):
    """What a key must be for. `model` is empty where none is concerned, `*` where all are."""

    scope: str
    model: str = ""


@lru_cache(maxsize=4096)
def scope_of(method: str, target: str) -> Needed:
    """What this request needs."""
    return row_of(method, target) or Needed("admin", ANY_MODEL)


def row_of(method: str, target: str) -> Needed | None:
    """What is written down here for this request; none for what no door answers."""
    segments = tuple(unquote(segment) for segment in target.partition("?")[0].strip("/").split("/"))
    reads, posts = method in _READING, method == "POST"
    found = None
    match segments:
        case ("v2", "health", *rest) if reads and tuple(rest) in _HEALTH:
            found = Needed(NOBODYS)
        case ("",) if reads:  # KServe v1 asks here whether we live
            found = Needed(NOBODYS)
        case ("v2",) if reads:
            found = Needed("read")
        case ("v2", "models") | ("v2", "models", "stats") if reads:
            found = Needed("read", ANY_MODEL)
        case ("v2", "models", name, *rest):
            found = _of_model(method, name, rest)
        case ("v2", "statistics", name) if reads:
            found = Needed("read", name)
        case ("v2", "protos", *_) if reads:
            found = Needed("read")
        case ("v2", "results", *_) if reads or method == "DELETE":
            found = Needed("read" if reads else "infer")
        case ("v2", "repository", *rest) if reads or posts:
            found = _of_repository(rest)
    return found or _of_others(segments, reads=reads, posts=posts)


def _of_model(method: str, model: str, rest: list[str]) -> Needed | None:
    """Below /v2/models/<model>: whatever is read, inference, and settings, which are the administrator's."""
    if method in _READING:
        return Needed("read", model)
    if method != "POST":
        return None
    if rest == ["trace", "setting"]:
        return Needed("admin", model)
    if rest[:1] == ["versions"]:
        rest = rest[2:]
    return Needed("infer", model) if len(rest) == 1 and rest[0] in _ASKING else None


def _of_repository(rest: list[str]) -> Needed | None:
    """Below /v2/repository: the index; records, which tell files and options, and what changes them."""
    match rest:
        case ["index"]:
            return Needed("read", ANY_MODEL)
        case ["models"]:
            return Needed("admin", ANY_MODEL)
        case ["models", name, *_]:
            return Needed("admin", name)
    return None


def _of_others(segments: tuple[str, ...], *, reads: bool, posts: bool) -> Needed | None:
    """Settings and shared memory, and the doors of TensorFlow Serving and Cluster Serving."""
    found = None
    match segments:
        case ("v1", "models", name, *_) | ("models", name, *_) if reads or posts:
            found = Needed("read" if reads else "infer", name.partition(":")[0])
        case ("v1", *_) | ("models",) | ("metrics",) if reads:
            found = Needed("read", ANY_MODEL)
        case ("predict",) if posts:
            found = Needed("infer", ANY_MODEL)
        case ("model-secure",) if posts:
            found = Needed("admin", ANY_MODEL)
        case ("v2", "trace", "setting") | ("v2", "logging") if reads or posts:
            found = Needed("read" if reads else "admin", ANY_MODEL)
        case ("v2", "systemsharedmemory" | "cudasharedmemory", *_) if reads or posts:
            found = Needed("read" if reads else "admin", ANY_MODEL)
        case (word, *_) if reads and word in _TOLD:
            found = Needed("read")
    return found
