"""The options of a model: the JSON object it was registered with.

| option           | default          | meaning                                                       |
|------------------|------------------|---------------------------------------------------------------|
| `max_batch_size` | 32, if proven    | rows stacked into one model call at most; 0 or 1: no stacking |
| `threads`        | chosen when open | threads of one model call                                     |
| `device`         | `cpu`            | where it runs, in the framework's own words                   |
| `providers`      | by `device`      | onnxruntime's execution providers, in order of preference     |
| `parameters`     | none             | settings of onnxruntime's and OpenVINO's, in Triton's words   |
| `reshape`        | as in the file   | OpenVINO: inputs by name → their dimensions, -1 for any       |
| `cache_dir`      | none             | OpenVINO: where beside the model it keeps it compiled         |
| `signature`      | serving_default  | TensorFlow: which function of a SavedModel                    |
| `inputs` `outputs` | from the file  | tensors that a file does not tell, in the protocol's form     |
| `model_warmup`   | zeros, random    | inputs to try the model with, in Triton's form                |
| `batch_padding`  | false            | batches are filled up to a preferred size with copies of rows |
| `padding`        | none             | inputs whose axis 1 is padded, so that lengths share a call   |
| `response_cache` | off              | `{"enable": true}`: the same inputs are not computed twice    |
| `isolated`       | by the runtime   | true: the model has a process of its own                      |
| `max_memory_mb`  | the worker's     | memory that such a process may take                           |
| `max_seconds`    | 60, 100 runs     | such a process is ended when a run takes longer               |

`sequence_batching`, in Triton's form, makes each request a step of a sequence: see `sequence_config`.

`input` and `output`, in Triton's form, are held against what the model says of itself. `runtime`, `backend`, `platform`
and `default_model_filename` tell how it is found and opened; `preprocessing` and `postprocessing` are steps around it.

`dynamic_batching.preferred_batch_size` is a list of rows (`runtimes/batching.py`).
Priorities, the queue's size and time-out in `dynamic_batching`, and `instance_group`, are the router's (the registry
reads them): here they are only checked, as the registry checks them. What else Triton has beside them is no mistake,
but has no effect and is named in a warning.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final

from scurry.runtimes import sequence_config
from scurry.runtimes.batching import BATCHING, PREFERRED, batching
from scurry.runtimes.sequence_config import NAME as SEQUENCES
from scurry.runtimes.sequence_config import SequenceConfig
from scurry.wire import queue_options
from scurry.wire.errors import Failed
from scurry.wire.queue_options import BATCHING as DYNAMIC
from scurry.wire.queue_options import INSTANCES, POLICY, READ, READ_OF_POLICY

if TYPE_CHECKING:
    from scurry.runtimes.padding import PaddingRule

MAX_BATCH_SIZE: Final = 32
MOST: Final = {"max_batch_size": 65536, "threads": 1024}
"""Of more threads onnxruntime takes minutes to let go (10,000, measured): the worker would stand still."""
TRITON: Final = frozenset({"name", "runtime", "backend", "platform", "default_model_filename"})
"""What was read before the model is opened."""
AROUND: Final = frozenset({"preprocessing", "postprocessing"})
"""What is done before and after the model: read by who composes them."""
IDLE: Final = frozenset(
    {"cc_model_filenames", "metric_tags", "model_metrics", "model_operations", "optimization", "parameters"}
)  # fmt: skip
"""Triton's names that would not change an answer: they are said to have no effect."""
UNSEEN: Final = "{} beside the model has no effect: who registered it did not see the file. Register it with --config."
REGISTERED: Final = {
    "pinned": UNSEEN.format("pinned"),
    "pool": UNSEEN.format("pool"),
    "version_policy": "version_policy beside the model is followed where its repository is registered as a whole.",
}
"""What the registry reads where a model is registered with it, and what is said where it only lies beside the model."""
NEEDED: Final = frozenset(
    {"batch_input", "batch_output", "ensemble_scheduling", "model_repository_agents", "model_transaction_policy"}
)  # fmt: skip
"""Triton's names without which the model would answer something else."""
QUEUE: Final = frozenset({DYNAMIC, INSTANCES})
"""What the registry and the router go by."""
ISOLATION: Final = frozenset({"isolated", "max_memory_mb", "max_seconds"})
KNOWN: Final = (
    BATCHING | ISOLATION | QUEUE | {"max_batch_size", "threads", "device", "model_warmup", "input", "output", SEQUENCES}
)
"""What every runtime knows."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a model may be told when it is opened."""

    max_batch_size: int | None = None  # None: as many as were shown to be independent, up to MAX_BATCH_SIZE
    threads: int = 0
    device: str = ""
    providers: tuple[str | tuple[str, Mapping[str, Any]], ...] = ()
    model_warmup: tuple[Mapping[str, Any], ...] = ()
    input: tuple[Mapping[str, Any], ...] = ()
    output: tuple[Mapping[str, Any], ...] = ()
    preferred_batch_size: tuple[int, ...] = ()
    batch_padding: bool = False
    padding: Mapping[str, PaddingRule] = field(default_factory=dict)  # by input
    response_cache: bool = False
    isolated: bool = False
    max_memory_mb: int = 0
    max_seconds: float = 0.0
    own: Mapping[str, Any] = field(default_factory=dict)  # what the runtime alone knows, and checks
    inputs: tuple[Mapping[str, Any], ...] = ()
    outputs: tuple[Mapping[str, Any], ...] = ()
    signature: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    reshape: Mapping[str, Any] = field(default_factory=dict)
    cache_dir: str = ""
    sequences: SequenceConfig | None = None
    warnings: tuple[str, ...] = ()  # what was said and has no effect


_FIELDS: Final = frozenset(each.name for each in fields(Options)) - {"own", "sequences", "warnings"}


def parse_options(config: str, beside: Mapping[str, Any], known: Collection[str], runtime: str) -> Options:
    """Options of the registration over those in the file beside the model. Raises `load_failed` on what is unknown."""
    given = _object(config) if config.strip() else {}
    values = {name: value for name, value in {**beside, **given}.items() if name not in {*TRITON, *AROUND, *REGISTERED}}
    _refuse_unknown(values, known, runtime)
    idle = sorted((IDLE - set(known)) & set(values))
    warnings = tuple(said for name, said in REGISTERED.items() if name in beside and name not in given)
    warnings += (f"{', '.join(idle)} in the config without effect here.",) if idle else ()
    for name in idle:
        del values[name]
    queue = {name: values.pop(name) for name in QUEUE if name in values}
    warnings += _queue_warnings(queue, given)
    sequences = _sequences(values.pop(SEQUENCES, None))
    warnings += sequences.warnings if sequences is not None else ()
    own = {name: values.pop(name) for name in set(values) - _FIELDS}
    checked: dict[str, Any] = {name: _checked(name, value) for name, value in values.items() if name not in BATCHING}
    return Options(**checked, **batching({**values, **queue}), own=own, sequences=sequences, warnings=warnings)


def _sequences(stated: object) -> SequenceConfig | None:
    if stated is None:
        return None
    if not isinstance(stated, dict):
        raise Failed("load_failed", f"Option {SEQUENCES!r} must be an object, not {stated!r}.")
    return sequence_config.read(stated)


def _refuse_unknown(names: Collection[str], known: Collection[str], runtime: str) -> None:
    needed = sorted(NEEDED & set(names) - set(known))
    if needed:
        sentence = f"The config has {needed[0]!r}, which does not work here yet: the model would answer something else."
        raise Failed("load_failed", sentence)
    unknown = sorted(set(names) - set(known) - IDLE)
    if unknown:
        here = ", ".join(sorted(known))
        near = difflib.get_close_matches(unknown[0], {*known, *IDLE, *TRITON, *AROUND, *REGISTERED}, 1)
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


def _queue_warnings(queue: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[str, ...]:
    """What of the router's options has no effect. Raises `load_failed` as the registry refuses them."""
    try:
        queue_options.read(queue)
    except ValueError as failure:
        raise Failed("load_failed", f"The model's config: {failure}.") from None
    parts = {name: value.keys() - {PREFERRED} if name == DYNAMIC else {name} for name, value in queue.items()}
    lying = sorted(name for name in queue.keys() - given.keys() if parts[name])
    beside = tuple(UNSEEN.format(name) for name in lying)
    routed = parts.get(DYNAMIC, set()) if DYNAMIC in given else set()
    policy = queue[DYNAMIC].get(POLICY, {}) if routed else {}
    idle = sorted([*(routed - READ), *(policy.keys() - READ_OF_POLICY)])
    return (*beside, f"{', '.join(idle)} in {DYNAMIC} without effect here.") if idle else beside


def _checked(name: str, value: object) -> float | str | tuple[Any, ...] | dict[str, Any]:
    if name in ISOLATION:
        return _limit(name, value)
    if name in MOST:
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST[name]:
            return value
        raise Failed("load_failed", f"Option {name!r} must be a whole number from 0 to {MOST[name]}, not {value!r}.")
    if name in {"model_warmup", "input", "output", "inputs", "outputs"}:
        if isinstance(value, list) and all(isinstance(each, dict) for each in value):
            return tuple(value)
        what = "samples" if name == "model_warmup" else "objects"
        raise Failed("load_failed", f"Option {name!r} must be a list of {what}, not {value!r}.")
    if name == "providers":
        return _providers(value)
    if name in {"parameters", "reshape"}:
        if isinstance(value, dict):
            return {key: _unwrapped(each) for key, each in value.items()}
        raise Failed("load_failed", f"Option {name!r} must be an object, not {value!r}.")
    if isinstance(value, str):
        return value
    raise Failed("load_failed", f"Option {name!r} must be a string, not {value!r}.")


def _limit(name: str, value: object) -> float:
    """What a process of the model's own may do."""
    if name == "isolated":
        if isinstance(value, bool):
            return value
        raise Failed("load_failed", f"Option 'isolated' must be true or false, not {value!r}.")
    whole = name == "max_memory_mb"
    kinds = (int,) if whole else (int, float)
    if isinstance(value, kinds) and not isinstance(value, bool) and 0 < value <= 1 << 24:
        return value
    what = "whole number" if whole else "number"
    raise Failed("load_failed", f"Option {name!r} must be a {what} above 0, not {value!r}.")


def _providers(value: object) -> tuple[Any, ...]:
    """Names, each alone or in a list with an object of its options."""
    found: list[Any] = []
    for each in value if isinstance(value, list) else []:
        if isinstance(each, str):
            found.append(each)
        elif isinstance(each, list) and [type(one) for one in each] == [str, dict]:
            found.append((each[0], each[1]))
        else:
            break
    if isinstance(value, list) and value and len(found) == len(value):
        return tuple(found)
    raise Failed("load_failed", f"Option 'providers' must be a list of names, not {value!r}.")


def _unwrapped(value: object) -> object:
    """A parameter's value, without what Triton writes around a text."""
    return value["string_value"] if isinstance(value, dict) and set(value) == {"string_value"} else value
