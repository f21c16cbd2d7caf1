"""Declarations on disk: JSON, or YAML where PyYAML is installed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from scurry.wire.errors import InvalidRequest


def read(file: str) -> Any:  # noqa: ANN401 - whatever the file says
    """What a file says, or the standard input for `-`. Raises `InvalidRequest`."""
    try:
        text = sys.stdin.read() if file == "-" else Path(file).read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidRequest(
            "bad_request", f"{file} cannot be read: {getattr(exc, 'strerror', None) or exc}."
        ) from None
    try:
        return json.loads(text)
    except ValueError as exc:
        if text.lstrip().startswith("{"):
            raise InvalidRequest("bad_request", f"{file} is not JSON: {exc}.") from None
    yaml = _yaml(f"{file} is not JSON, and to read YAML")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as exc:
        raise InvalidRequest("bad_request", f"{file} is neither JSON nor YAML: {' '.join(str(exc).split())}.") from None


def tagged(file: str, tags: Sequence[str], mended: Callable[[str], str]) -> Any:  # noqa: ANN401
    """What a YAML file says, in which each of these tags makes a pair of itself and what it stands before.

    A file that cannot be read as it is, is read `mended`. Raises `InvalidRequest`.
    """
    try:
        text = Path(file).read_text()
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidRequest(
            "bad_request", f"{file} cannot be read: {getattr(exc, 'strerror', None) or exc}."
        ) from None
    yaml = _yaml(f"To read {file}")

    class Loader(yaml.SafeLoader):  # type: ignore[misc, name-defined]
        """Knows the tags, and nothing that runs code."""

    for tag in tags:
        Loader.add_constructor(tag, lambda loader, node, tag=tag: (tag, loader.construct_mapping(node, deep=True)))
    try:
        try:
            return yaml.load(text, Loader)
        except yaml.YAMLError:
            return yaml.load(mended(text), Loader)
    except yaml.YAMLError as exc:
        raise InvalidRequest("bad_request", f"{file} is not YAML: {' '.join(str(exc).split())}.") from None


def dump(value: object) -> str:
    """The value as YAML, its parts in their order."""
    text: str = _yaml("To write YAML").safe_dump(value, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n")


def _yaml(why: str) -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        return import_module("yaml")
    except ImportError:
        raise InvalidRequest("bad_request", f"{why} takes PyYAML: pip install 'scurry[yaml]'.") from None
