"""What the gateway promises to callers: its OpenAPI, its proto files.

Each door has a fragment in `openapi/`: OpenAPI 3.1 of its paths, in which four things are left to be filled in.

* `"answer": "Live"` stands for a 200 with that schema (in a response: for its content).
* A path's parameters are those that stand in it.
* Whoever does not say what 4XX and 5XX are answers as all do.
* `variants` are what may stand behind the beginning of a path, a version for instance: each is a path of its own.
"""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import orjson

PROTOS: Final = ("scurry/wire/infer.proto",)
"""The proto files that clients use; the others are between our own processes."""

_NAMES: Final = re.compile(r"\{(\w+)\}")
_PACKAGE: Final = Path(__file__).resolve().parents[1]
_FOLDERS: Final = (_PACKAGE / "protos", _PACKAGE.parents[1] / "protos")
"""Where proto files lie in a wheel, and in a checkout."""

Fragment = dict[str, Any]


@cache
def openapi() -> bytes:
    """The whole document as JSON."""
    return orjson.dumps(document(fragments()))


@cache
def protos() -> dict[str, bytes]:
    """The proto files by name, those that are installed."""
    found = {name: folder / name for folder in reversed(_FOLDERS) for name in PROTOS if (folder / name).is_file()}
    return {name: found[name].read_bytes() for name in PROTOS if name in found}


def fragments() -> Iterator[Fragment]:
    """Every door's part of the document."""
    for file in sorted(files("scurry.gateway").joinpath("openapi").iterdir(), key=lambda each: each.name):
        if file.name.endswith(".json"):
            yield orjson.loads(file.read_bytes())


def document(parts: Iterator[Fragment]) -> Fragment:
    """One document of all parts. Raises `ValueError` when two have a path or a component of one name."""
    version = importlib.metadata.version("scurry")
    made: Fragment = {
        "openapi": "3.1.0",
        "info": {"title": "Scurry", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": {},
        "components": {},
    }
    for part in parts:
        _add(made["paths"], {path: _path_item(path, item) for path, item in _with_variants(part)})
        for kind, components in part.get("components", {}).items():
            _add(made["components"].setdefault(kind, {}), components)
    return made


def _add(known: Fragment, more: Fragment) -> None:
    for name, value in more.items():
        if name in known:
            raise ValueError(f"{name!r} is in two parts of the OpenAPI document")
        known[name] = value


def _with_variants(part: Fragment) -> Iterator[tuple[str, Fragment]]:
    for path, item in part.get("paths", {}).items():
        yield path, item
        for beginning, variants in part.get("variants", {}).items():
            if path.startswith(beginning):
                for variant in variants:
                    yield beginning + variant + path[len(beginning) :], item


def _path_item(path: str, item: Fragment) -> Fragment:
    made: Fragment = {method: _operation(method, path, each) for method, each in item.items()}
    names = _NAMES.findall(path)
    return {"parameters": [{"$ref": f"#/components/parameters/{name}"} for name in names], **made} if names else made


def _operation(method: str, path: str, given: Fragment) -> Fragment:
    responses = {status: _response(each) for status, each in given.get("responses", {}).items()}
    if "answer" in given:
        responses["200"] = _response({"description": "The answer.", "answer": given["answer"]})
    responses.setdefault("4XX", {"$ref": "#/components/responses/Refused"})
    responses.setdefault("5XX", {"$ref": "#/components/responses/Failed"})
    rest = {key: value for key, value in given.items() if key not in {"answer", "responses"}}
    name = re.sub(r"\W+", "_", f"{method} {path}").strip("_")
    return {"operationId": name, **rest, "responses": dict(sorted(responses.items()))}


def _response(given: Fragment) -> Fragment:
    if "answer" not in given:
        return given
    schema = {"$ref": f"#/components/schemas/{given['answer']}"}
    rest = {key: value for key, value in given.items() if key != "answer"}
    return {**rest, "content": {"application/json": {"schema": schema}}}
