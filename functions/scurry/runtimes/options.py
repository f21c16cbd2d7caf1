"""The options of a model: the JSON object it was registered with.

| option           | default          | meaning                                                       |
|------------------|------------------|---------------------------------------------------------------|
| `max_batch_size` | 32, if proven    | rows stacked into one model call at most; 0 or 1: no stacking |
| `threads`        | chosen when open | threads of one model call                                     |
| `device`         | `cpu`            | where it runs, in the framework's own words                   |
| `providers`      | by `device`      | onnxruntime's execution providers, in order of preference     |
| `model_warmup`   | zeros, random    | inputs to try the model with, in Triton's form                |

`sequence_batching`, in Triton's form, makes each request a step of a sequence: see `sequence_config`.

`input` and `output`, in Triton's form, are held against what the model says of itself. `runtime`, `backend`, `platform`
and `default_model_filename` tell how it is found and opened.

`dynamic_batching.default_queue_policy.max_queue_size` is the router's (the registry reads it): here it is only checked,
as the registry checks it. What else Triton has beside it is no mistake, but has no effect and is named in a warning.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from scurry.runtimes import sequence_config
from scurry.runtimes.sequence_config import SequenceConfig
from scurry.wire.errors import Failed

MAX_BATCH_SIZE: Final = 32
TRITON: Final = frozenset({"name", "runtime", "backend", "platform", "default_model_filename"})
"""What was read before the model is opened."""
IDLE: Final = frozenset(
    {"cc_model_filenames", "instance_group", "metric_tags", "model_metrics", "model_operations", "optimization",
     "parameters", "response_cache", "version_policy"}
)  # fmt: skip
"""Triton's names that would not change an answer: they are said to have no effect."""
NEEDED: Final = frozenset(
    {"batch_input", "batch_output", "ensemble_scheduling", "model_repository_agents", "model_transaction_policy"}
)  # fmt: skip
"""Triton's names without which the model would answer something else."""
QUEUE: Final = "dynamic_batching"
KNOWN: Final = frozenset(
    {"max_batch_size", "threads", "device", "model_warmup", "input", "output", sequence_config.NAME, QUEUE}
)
"""What every runtime knows."""
POLICY: Final = "default_queue_policy"


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
    sequences: SequenceConfig | None = None
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
    warnings += _queue_warnings(values.pop(QUEUE, {}), only_beside=QUEUE in beside and QUEUE not in given)
    sequences = _sequences(values.pop(sequence_config.NAME, None))
    warnings += sequences.warnings if sequences is not None else ()
    checked: dict[str, Any] = {name: _checked(name, value) for name, value in values.items()}
    return Options(**checked, sequences=sequences, warnings=warnings)


def _sequences(stated: object) -> SequenceConfig | None:
    if stated is None:
        return None
    if not isinstance(stated, dict):
        raise Failed("load_failed", f"Option {sequence_config.NAME!r} must be an object, not {stated!r}.")
    return sequence_config.read(stated)


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


def _queue_warnings(queue: object, *, only_beside: bool) -> tuple[str, ...]:
    """What of `dynamic_batching` has no effect. Raises `load_failed` on what the registry refuses as well."""
    policy = queue.get(POLICY, {}) if isinstance(queue, dict) else {}
    for name, part in ((QUEUE, queue), (f"{QUEUE}.{POLICY}", policy)):
        if not isinstance(part, dict):
            raise Failed("load_failed", f"Option {name!r} must be an object, not {part!r}.")
    size = policy.get("max_queue_size", 0)
    if isinstance(size, bool) or not isinstance(size, int) or not 0 <= size < 2**31:
        raise Failed("load_failed", f"Option 'max_queue_size' must be a whole number from 0, not {size!r}.")
    if only_beside:
        return (f"{QUEUE} has no effect in the file beside the model: register the model with it.",)
    idle = sorted([*(set(queue) - {POLICY}), *(set(policy) - {"max_queue_size"})] if isinstance(queue, dict) else [])
    return (f"{', '.join(idle)} in {QUEUE} without effect here.",) if idle else ()


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
