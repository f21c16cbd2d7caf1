"""Which functions the job has an endpoint for, by its module.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_BOUND: Final = re.compile(r"""^\s*functions:\s*["']?([^\s"'#]+)""", re.MULTILINE)
_OURS: Final = "scurry/"
_POOLS: Final = "scurry/inference."
"""How the functions are called that the workers of further pools serve."""


def user_functions(text: str) -> tuple[str, ...]:
    """Functions that are not ours, each `namespace/type` or `namespace/*`, in a module.yaml's text."""
    return tuple(sorted({name for name in _BOUND.findall(text) if not name.startswith(_OURS)}))


def bound_functions(text: str) -> tuple[str, ...]:
    """The same, and the functions of the pools of workers beside the default one."""
    pools = {name for name in _BOUND.findall(text) if name.startswith(_POOLS)}
    return (*user_functions(text), *sorted(pools))


def read_user_functions(module: Path) -> tuple[str, ...]:
    """The user functions of a file. Raises `OSError`."""
    return user_functions(module.read_text())


def read_bound_functions(module: Path) -> tuple[str, ...]:
    """All that a version may be answered by, beside the default pool, by a file. Raises `OSError`."""
    return bound_functions(module.read_text())


def serves(bound: tuple[str, ...], function: str) -> bool:
    """Whether one of these is the function, or all of its namespace."""
    return function in bound or f"{function.partition('/')[0]}/*" in bound
