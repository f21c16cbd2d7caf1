"""Which operation a method and path of Cluster Serving's REST ask for."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import parse_qsl, unquote

from scurry.gateway.ask import check_names
from scurry.gateway.doors.paths import LONGEST_PATH, READING, NoSuchPath, wrong_method
from scurry.protocols.cluster_serving_rest import FORMS
from scurry.wire.errors import InvalidRequest

PREFIXES: Final = ("/predict", "/models", "/metrics", "/model-secure")
"""What of the entrance is this door's."""
FORM: Final = "form"
"""The query parameter that names a form of answers."""


class ClusterOperation(NamedTuple):
    """What is asked for, and in which form of answers; an empty one is the gateway's own."""

    name: str
    model: str = ""
    version: str = ""
    form: str = ""


@lru_cache(maxsize=4096)
def cluster_operation_of(method: str, target: str) -> ClusterOperation:
    """The operation for a request line. Raises `NoSuchPath`, `NotFound` for what is no name, `InvalidRequest`."""
    path, _, query = target.partition("?")
    found = _found(path) if len(path) <= LONGEST_PATH else None
    if found is None:
        raise NoSuchPath(404, "There is nothing at this path: Cluster Serving's models are below /models.")
    methods = ("POST",) if found.name in {"predict", "secure"} else READING
    if method not in methods:
        raise wrong_method(path, method, methods)
    if found.model:
        check_names(found.model, found.version)
    form = dict(parse_qsl(query)).get(FORM, "")
    if form and form not in FORMS:
        raise InvalidRequest("bad_request", f"{FORM} must be one of {', '.join(FORMS)}, not {form[:64]!r}.")
    return found._replace(form=form)


def _found(path: str) -> ClusterOperation | None:
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    match segments:
        case ["predict"]:
            return ClusterOperation("predict")
        case ["metrics"]:
            return ClusterOperation("metrics")
        case ["model-secure"]:
            return ClusterOperation("secure")
        case ["models"]:
            return ClusterOperation("list")
        case ["models", model, *rest] if model:
            version = rest[1] if rest[:1] == ["versions"] and len(rest) > 1 else ""
            rest = rest[2:] if version else rest
            name = {(): "model", ("predict",): "predict"}.get(tuple(rest), "")
            return ClusterOperation(name, model, version) if name else None
    return None
