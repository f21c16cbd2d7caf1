"""How OpenVINO compiles a model: properties from a config.

Ours are `reshape` (inputs by name → their dimensions) and `cache_dir` (a folder beside the model in which it is kept
compiled). `parameters` has OpenVINO's own names, as Triton's backend takes them. Results are computed in FP32 unless
`INFERENCE_PRECISION_HINT` says otherwise, so that an answer does not depend on the machine it was computed on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scurry.runtimes.options import Options

PROPERTIES: Final = frozenset(
    {"CPU_DENORMALS_OPTIMIZATION", "DYNAMIC_QUANTIZATION_GROUP_SIZE", "ENABLE_CPU_PINNING", "ENABLE_HYPER_THREADING",
     "EXECUTION_MODE_HINT", "INFERENCE_NUM_THREADS", "INFERENCE_PRECISION_HINT", "NUM_STREAMS", "PERFORMANCE_HINT",
     "PERFORMANCE_HINT_NUM_REQUESTS", "SCHEDULING_CORE_TYPE"}
)  # fmt: skip
"""None that names a file."""
MAYBE_CPU: Final = frozenset({"CPU", "AUTO", "HETERO", "MULTI"})
"""Devices by which the processor may compute: left alone it chooses BF16 where it has instructions for that."""


def properties(options: Options, device: str, threads: int, beside: Path) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What to compile with, and the parameters that mean nothing here. Raises `load_failed`."""
    found: dict[str, Any] = {}
    if device.partition(":")[0] in MAYBE_CPU:
        found = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}
    if {*(device.partition(":")[2] or device).split(",")} == {"CPU"}:  # others know no such threads
        found["INFERENCE_NUM_THREADS"] = threads
    idle = tuple(name for name in options.parameters if name not in PROPERTIES)
    found |= {name: value for name, value in options.parameters.items() if name in PROPERTIES}
    if options.cache_dir:
        found["CACHE_DIR"] = str(_folder(options.cache_dir, beside))
    return found, idle


def shapes(reshape: Mapping[str, Any], known: Mapping[str, Any]) -> dict[Any, list[int]]:
    """The inputs that are to have other dimensions, -1 for any. Raises `load_failed`."""
    found: dict[Any, list[int]] = {}
    for name, sizes in reshape.items():
        if name not in known:
            raise Failed("load_failed", f"'reshape' names an input {name!r}; the model has {', '.join(known)}.")
        if not isinstance(sizes, list) or not all(type(size) is int and size >= -1 for size in sizes):
            raise Failed("load_failed", f"'reshape' of {name!r} must be a list of sizes, -1 for any, not {sizes!r}.")
        found[known[name]] = sizes
    return found


def _folder(name: str, beside: Path) -> Path:
    path = (beside / name).resolve()
    if not path.is_relative_to(beside.resolve()) or path == beside.resolve():
        raise Failed("load_failed", f"'cache_dir' must be a folder beside the model, not {name!r}.")
    return path
