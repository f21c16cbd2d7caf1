"""Settings of an onnxruntime session, in Triton's words.

Those of `parameters` in a config:

| parameter                                      | what it does                                                   |
|------------------------------------------------|----------------------------------------------------------------|
| `intra_op_thread_count` `inter_op_thread_count`| threads of one operator, and of operators side by side         |
| `execution_mode`                               | 0: one operator after the other, 1: side by side               |
| `enable_mem_arena` `enable_mem_pattern`        | 0 or 1: whether memory is kept, whether its use is foreseen    |
| `graph_optimization_level`                     | `disable`, `basic`, `extended` or `all`                        |
| `session.…`, `optimization.…` (those below)    | onnxruntime's own entries of a session's configuration         |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRIES: Final = frozenset(
    {"session.disable_prepacking", "session.dynamic_block_base", "session.disable_quant_qdq",
     "session.enable_quant_qdq_cleanup", "session.force_spinning_stop", "session.inter_op.allow_spinning",
     "session.intra_op.allow_spinning", "session.qdqisint8allowed", "session.set_denormal_as_zero",
     "session.x64quantprecision", "optimization.enable_gelu_approximation"}
)  # fmt: skip
"""None that names a file."""
NUMBERS: Final = {
    "intra_op_thread_count": ("intra_op_num_threads", 0, 1024),
    "inter_op_thread_count": ("inter_op_num_threads", 0, 1024),
    "enable_mem_arena": ("enable_cpu_mem_arena", 0, 1),
    "enable_mem_pattern": ("enable_mem_pattern", 0, 1),
}
LEVELS: Final = {
    "disable": "ORT_DISABLE_ALL",
    "basic": "ORT_ENABLE_BASIC",
    "extended": "ORT_ENABLE_EXTENDED",
    "all": "ORT_ENABLE_ALL",
}
MODES: Final = {"0": "ORT_SEQUENTIAL", "1": "ORT_PARALLEL"}


def apply(onnxruntime: Any, settings: Any, parameters: Mapping[str, Any]) -> tuple[str, ...]:  # noqa: ANN401
    """Change the session's settings; the names that mean nothing here. Raises `load_failed`."""
    idle: list[str] = []
    for name, given in parameters.items():
        value = str(int(given)) if isinstance(given, bool) else str(given)
        if name in NUMBERS:
            attribute, low, high = NUMBERS[name]
            setattr(settings, attribute, _number(name, value, low, high))
        elif name in ENTRIES:
            settings.add_session_config_entry(name, value)
        elif name == "execution_mode":
            settings.execution_mode = getattr(onnxruntime.ExecutionMode, _one_of(name, value, MODES))
        elif name == "graph_optimization_level":
            level = _one_of(name, value, LEVELS)
            settings.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
        else:
            idle.append(name)
    return tuple(idle)


def _number(name: str, value: str, low: int, high: int) -> int:
    if value.isascii() and value.isdecimal() and low <= int(value) <= high:
        return int(value)
    raise Failed("load_failed", f"Parameter {name!r} must be a whole number from {low} to {high}, not {value!r}.")


def _one_of(name: str, value: str, known: Mapping[str, str]) -> str:
    if value not in known:
        raise Failed("load_failed", f"Parameter {name!r} must be one of {', '.join(known)}, not {value!r}.")
    return known[value]
