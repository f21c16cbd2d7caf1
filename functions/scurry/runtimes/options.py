"""The options of a model: the JSON object it was registered with.

| option           | default          | meaning                                                       |
|------------------|------------------|---------------------------------------------------------------|
| `max_batch_size` | 32, if proven    | rows stacked into one model call at most; 0 or 1: no stacking |
| `threads`        | chosen when open | threads of one model call                                     |
| `device`         | `cpu`            | where it runs, in the framework's own words                   |
| `providers`      | by `device`      | onnxruntime's execution providers, in order of preference     |
| `model_warmup`   | zeros, random    | inputs to try the model with, in Triton's form                |

`input` and `output`, in Triton's form, are held against what the model says of itself. `runtime`, `backend`, `platform`
and `default_model_filename` tell how it is found and opened.

Priorities, the queue's size and time-out in `dynamic_batching`, and `instance_group`, are the router's (the registry
reads them): here they are only checked, as the registry checks them. What else Triton has beside them is no mistake,
but has no effect and is named in a warning.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scurry.wire import queue_options
from scurry.wire.errors import Failed
from scurry.wire.queue_options import BATCHING, INSTANCES, POLICY, READ, READ_OF_POLICY

MAX_BATCH_SIZE: Final = 32
TRITON: Final = frozenset({"name", "runtime", "backend", "platform", "default_model_filename"})
"""What was read before the model is opened."""
IDLE: Final = frozenset(
    {"cc_model_filenames", "metric_tags", "model_metrics", "model_operations", "optimization",
     "parameters", "response_cache", "version_policy"}
)  # fmt: skip
"""Triton's names that would not change an answer: they are said to have no effect."""
NEEDED: Final = frozenset(
    {"batch_input", "batch_output", "ensemble_scheduling", "model_repository_agents", "model_transaction_policy",
     "sequence_batching"}
)  # fmt: skip
"""Triton's names without which the model would answer something else."""
QUEUE: Final = frozenset({BATCHING, INSTANCES})
"""What the registry and the router go by."""
KNOWN: Final = frozenset({"max_batch_size", "threads", "device", "model_warmup", "input", "output", *QUEUE})
"""What every runtime knows."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a model may be told when it is opened."""

    max_batch_size: int | None = None  # None: as many as were shown to be independent, up to MAX_BATCH_SIZE
    threads: int = 0
    device: str = ""
    providers: tuple[str, ...] = ()
    model_warmup: tuple[Mapping[str, Any], ...] = ()
    input: tuple[Mapping[str, Any], ...] = ()
    output: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[str, ...] = ()  # what was said and has no effect


def parse_options(config: str, beside: Mapping[str, Any], known: Collection[str], runtime: str) -> Options:
    """Options of the registration over those in the file beside the model. Raises `load_failed` on what is unknown."""
    given = _object(config) if config.strip() else {}
    values = {name: value for name, value in {**beside, **given}.items() if name not in TRITON}
    _refuse_unknown(values, known, runtime)
    idle = sorted(IDLE & set(values))
    warnings: tuple[str, ...] = (f"{', '.join(idle)} in the config without effect here.",) if idle else ()
    for name in idle:
        del values[name]
    warnings += _queue_warnings(values, given)
    checked: dict[str, Any] = {name: _checked(name, value) for name, value in values.items()}
    return Options(**checked, warnings=warnings)


def _refuse_unknown(names: Collection[str], known: Collection[str], runtime: str) -> None:
    needed = sorted(NEEDED & set(names))
    if needed:
        sentence = f"The config has {needed[0]!r}, which does not work here yet: the model would answer something else."
        raise Failed("load_failed", sentence)
    unknown = sorted(set(names) - set(known) - IDLE)
    if unknown:
        here = ", ".join(sorted(known))
        near = difflib.get_close_matches(unknown[0], {*known, *IDLE, *TRITON}, 1)
        hint = f" Was {near[0]!r} meant?" if near else ""
        listed = ", ".join(map(repr, unknown))
        raise Failed("load_failed", f"Runtime {runtime!r} knows no option {listed}; it knows {here}.{hint}")


def _object(config: str) -> dict[str, Any]:
    try:
        values = json.loads(config)
    except ValueError as cause:
        raise Failed("load_failed", f"The model's config is not JSON: {cause}.") from None
    if not isinstance(values, dict):
        raise Failed("load_failed", "The model's config must be a JSON object.")
    return values


def _queue_warnings(values: dict[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """Take out what is the router's; what of it has no effect. Raises `load_failed` as the registry refuses it."""
    queue = {name: values.pop(name) for name in QUEUE if name in values}
    try:
        queue_options.read(queue)
    except ValueError as failure:
        raise Failed("load_failed", f"The model's config: {failure}.") from None
    beside = tuple(f"{name} has no effect in the file beside the model: register the model with it."
                   for name in sorted(queue.keys() - given.keys()))  # fmt: skip
    batching = queue.get(BATCHING, {}) if BATCHING in given else {}
    idle = sorted([*(batching.keys() - READ), *(batching.get(POLICY, {}).keys() - READ_OF_POLICY)])
    return (*beside, f"{', '.join(idle)} in {BATCHING} without effect here.") if idle else beside


def _checked(name: str, value: object) -> int | str | tuple[Any, ...]:
    if name in {"max_batch_size", "threads"}:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 65536:
            return value
        raise Failed("load_failed", f"Option {name!r} must be a whole number from 0 to 65536, not {value!r}.")
    if name in {"model_warmup", "input", "output"}:
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return tuple(value)
        what = "samples" if name == "model_warmup" else "objects"
        raise Failed("load_failed", f"Option {name!r} must be a list of {what}, not {value!r}.")
    if name == "providers":
        if isinstance(value, list) and value and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise Failed("load_failed", f"Option 'providers' must be a list of names, not {value!r}.")
    if isinstance(value, str):
        return value
    raise Failed("load_failed", f"Option {name!r} must be a string, not {value!r}.")
