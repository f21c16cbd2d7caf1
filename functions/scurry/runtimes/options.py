"""The options of a model: the JSON object it was registered with.

| option           | default          | meaning                                                       |
|------------------|------------------|---------------------------------------------------------------|
| `max_batch_size` | 32, if proven    | rows stacked into one model call at most; 0 or 1: no stacking |
| `threads`        | chosen when open | threads of one model call                                     |
| `device`         | `cpu`            | where it runs, in the framework's own words                   |
| `providers`      | by `device`      | onnxruntime's execution providers, in order of preference     |
| `model_warmup`   | zeros, random    | inputs to try the model with, in Triton's form                |
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scurry.wire.errors import Failed

MAX_BATCH_SIZE: Final = 32


@dataclass(frozen=True, slots=True)
class Options:
    """What a model may be told when it is opened."""

    max_batch_size: int | None = None  # None: as many as were shown to be independent, up to MAX_BATCH_SIZE
    threads: int = 0
    device: str = ""
    providers: tuple[str, ...] = ()
    model_warmup: tuple[Mapping[str, Any], ...] = ()


def parse_options(config: str, beside: Mapping[str, Any], known: Collection[str], runtime: str) -> Options:
    """Options of the registration over those in the file beside the model. Raises `load_failed` on what is unknown."""
    values = dict(beside)
    if config.strip():
        values.update(_object(config))
    unknown = sorted(set(values) - set(known))
    if unknown:
        names, here = ", ".join(map(repr, unknown)), ", ".join(sorted(known))
        raise Failed("load_failed", f"Runtime {runtime!r} knows no option {names}; it knows {here}.")
    checked: dict[str, Any] = {name: _checked(name, value) for name, value in values.items()}
    return Options(**checked)


def _object(config: str) -> dict[str, Any]:
    try:
        values = json.loads(config)
    except ValueError as cause:
        raise Failed("load_failed", f"The model's config is not JSON: {cause}.") from None
    if not isinstance(values, dict):
        raise Failed("load_failed", "The model's config must be a JSON object.")
    return values


def _checked(name: str, value: object) -> int | str | tuple[Any, ...]:
    if name in {"max_batch_size", "threads"}:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65536:
            return value
        raise Failed("load_failed", f"Option {name!r} must be a whole number from 0 to 65536, not {value!r}.")
    if name == "model_warmup":
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return tuple(value)
        raise Failed("load_failed", f"Option 'model_warmup' must be a list of samples, not {value!r}.")
    if name == "providers":
        if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise Failed("load_failed", f"Option 'providers' must be a list of names, not {value!r}.")
    if isinstance(value, str):
        return value
    raise Failed("load_failed", f"Option {name!r} must be a string, not {value!r}.")
