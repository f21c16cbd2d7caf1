"""What a config says of batches and of answers that are kept.

`dynamic_batching.preferred_batch_size` and `response_cache {enable}` are Triton's. Ours:

* `batch_padding: true`: a batch is filled up to the next preferred size, above all of them to `max_batch_size`;
* `padding: {"input_ids": {"sizes": [32, 64, 128], "value": 0, "trims": ["tokens"]}}`: axis 1 of the input is padded
  to the next size; the outputs named in `trims` are cut back to the caller's own length.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scurry.runtimes.padding import PaddingRule
from scurry.wire.errors import Failed

BATCHING: Final = frozenset({"batch_padding", "padding", "response_cache"})
PREFERRED: Final = "preferred_batch_size"
MOST: Final = 65536


def batching(values: Mapping[str, Any]) -> dict[str, Any]:
    """The options of a config that are stated here. Raises `load_failed` that names the one that is wrong."""
    queue = values.get("dynamic_batching", {})
    given = queue.get(PREFERRED, []) if isinstance(queue, dict) else []
    return {
        "preferred_batch_size": _sizes(f"dynamic_batching.{PREFERRED}", given),
        "batch_padding": _flag("batch_padding", values.get("batch_padding", False)),
        "padding": _padding(values.get("padding", {})),
        "response_cache": _cache(values.get("response_cache", {})),
    }


def _bad(name: str, what: str, value: object) -> Failed:
    return Failed("load_failed", f"Option {name!r} must be {what}, not {value!r}.")


def _sizes(name: str, value: object) -> tuple[int, ...]:
    """Whole numbers from 1; a single one may stand without a list, as Triton's text form has it."""
    sizes = value if isinstance(value, list) else [value]
    if any(isinstance(each, bool) or not isinstance(each, int) or not 0 < each <= MOST for each in sizes):
        raise _bad(name, f"a list of whole numbers from 1 to {MOST}", value)
    return tuple(sorted(set(sizes)))


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _bad(name, "true or false", value)
    return value


def _cache(value: object) -> bool:
    if not isinstance(value, dict) or set(value) - {"enable"}:
        raise _bad("response_cache", "an object with `enable`", value)
    return _flag("response_cache.enable", value.get("enable", False))


def _padding(value: object) -> dict[str, PaddingRule]:
    if not isinstance(value, dict):
        raise _bad("padding", "an object of inputs", value)
    return {name: _rule(f"padding.{name}", each) for name, each in value.items()}


def _rule(name: str, value: object) -> PaddingRule:
    if not isinstance(value, dict) or set(value) - {"sizes", "value", "trims"} or not value.get("sizes"):
        raise _bad(name, "an object with `sizes` and perhaps `value` and `trims`", value)
    number, trims = value.get("value", 0), value.get("trims", [])
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise _bad(f"{name}.value", "a number", number)
    if not isinstance(trims, list) or not all(isinstance(each, str) for each in trims):
        raise _bad(f"{name}.trims", "a list of outputs", trims)
    return PaddingRule(_sizes(f"{name}.sizes", value["sizes"]), number, tuple(trims))
