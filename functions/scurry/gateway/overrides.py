"""A config that a Triton client loads a model with, registered.

Triton's clients send what they got from the model's configuration, changed here and there, in protobuf's JSON: whole
numbers may be texts. What it names takes the place of what the model was registered with; all else stays. Pure.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from scurry.gateway.describe import Record
from scurry.wire.errors import InvalidRequest

NUMBERS: Final = frozenset(
    {
        "max_batch_size", "preferred_batch_size", "count", "dims", "shape", "batch_size", "priority_levels",
        "default_priority_level", "max_queue_size", "num_versions", "versions", "gpus",
    }
)  # fmt: skip
"""Fields of Triton's model configuration that are whole numbers, beside those in microseconds."""
TOLD: Final = frozenset({"platform", "backend"})
"""What the configuration tells of the runtime, which is chosen when a version is registered."""


def overridden(model: str, version: Record, text: str) -> dict[str, Any]:
    """The registration of a version with this config over its own. Raises `InvalidRequest`."""
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError as cause:
        raise InvalidRequest("bad_request", f"failed to load '{model}', its config is not JSON: {cause}") from None
    if not isinstance(given, dict):
        raise InvalidRequest("bad_request", f"failed to load '{model}', its config must be a JSON object")
    if given.get("name", model) != model:
        raise InvalidRequest("bad_request", f"failed to load '{model}', its config has another 'name'")
    runtime = version.get("runtime", "")
    kept = {name: _numbers(name, value) for name, value in given.items() if not _is_told(name, value, runtime)}
    return {
        "version": version["version"],
        "uri": version["uri"],
        "runtime": runtime,
        "config": {**(version.get("config") or {}), **kept},
    }


def _is_told(name: str, value: object, runtime: object) -> bool:
    return name == "name" or (name in TOLD and value in (runtime, ""))


def _numbers(name: str, value: Any) -> Any:  # noqa: ANN401 - any JSON
    """The value with numbers for what protobuf's JSON may write as texts."""
    if isinstance(value, dict):
        return {key: _numbers(key, one) for key, one in value.items()}
    if isinstance(value, list):
        return [_numbers(name, one) for one in value]
    is_number = name in NUMBERS or name.endswith("_microseconds")
    if is_number and isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 20:
        return int(value)
    return value
