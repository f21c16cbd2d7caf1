"""Which functions the job has an endpoint for, by its module.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_BOUND: Final = re.compile(r"""^\s*functions:\s*["']?([^\s"'#]+)""", re.MULTILINE)
_OURS: Final = "scurry/"


def user_functions(text: str) -> tuple[str, ...]:
    """Functions that are not ours, each `namespace/type` or `namespace/*`, in a module.yaml's text."""
    return tuple(sorted({name for name in _BOUND.findall(text) if not name.startswith(_OURS)}))


def read_user_functions(module: Path) -> tuple[str, ...]:
    """The same of a file. Raises `OSError`."""
    return user_functions(module.read_text())


def serves(bound: tuple[str, ...], function: str) -> bool:
    """Whether one of these is the function, or all of its namespace."""
    return function in bound or f"{function.partition('/')[0]}/*" in bound
