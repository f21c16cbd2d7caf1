"""Declarations on disk: JSON, or YAML where PyYAML is installed."""

from __future__ import annotations

import json
import sys
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


def dump(value: object) -> str:
    """The value as YAML, its parts in their order."""
    text: str = _yaml("To write YAML").safe_dump(value, sort_keys=False, allow_unicode=True)
    return text.rstrip("\n")


def _yaml(why: str) -> Any:  # noqa: ANN401 - a module that may be absent
    try:
        return import_module("yaml")
    except ImportError:
        raise InvalidRequest("bad_request", f"{why} takes PyYAML: pip install 'scurry[yaml]'.") from None
