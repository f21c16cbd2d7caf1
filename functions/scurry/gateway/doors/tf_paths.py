"""Which operation a method and path below /v1 ask for.

They are TensorFlow Serving's and those of KServe v1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from scurry.gateway.ask import check_names
from scurry.gateway.doors.paths import LONGEST_PATH, READING, NoSuchPath, wrong_method

ASKING: Final = ("predict", "classify", "regress", "explain")
"""What may be asked of a model, behind a colon."""


class TfOperation(NamedTuple):
    """What is asked for; `version` is a version, or an alias where `by_label` says so."""

    name: str
    model: str = ""
    version: str = ""
    by_label: bool = False


@lru_cache(maxsize=4096)
def tf_operation_of(method: str, target: str) -> TfOperation:
    """The operation for a request line. Raises `NoSuchPath`, or `NotFound` for what cannot be a name."""
    path = target.partition("?")[0]
    found = _found(path) if len(path) <= LONGEST_PATH else None
    if found is None:
        raise NoSuchPath(404, "There is nothing at this path: models are below /v1/models.")
    methods = ("POST",) if found.name in ASKING else READING
    if method not in methods:
        raise wrong_method(path, method, methods)
    if found.model:
        check_names(found.model, found.version)
    return found


def _found(path: str) -> TfOperation | None:
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    if segments == [""]:
        return TfOperation("alive")
    if segments == ["v1", "models"]:
        return TfOperation("list")
    if segments[:2] != ["v1", "models"]:
        return None
    segments[-1], colon, verb = segments[-1].partition(":")
    if colon and verb not in ASKING:
        return None
    model, *rest = segments[2:]
    kind, version = rest[:2] if len(rest) > 1 else ("", "")
    if kind in {"versions", "labels"} and version:
        rest = rest[2:]
    else:
        kind = version = ""
    name = {(): verb or "status", ("metadata",): "" if colon else "metadata"}.get(tuple(rest), "")
    return TfOperation(name, model, version, kind == "labels") if name and model else None
