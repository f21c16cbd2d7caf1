"""Pools of workers: sets of them that hold different models.

A pool is a function type of its own, `scurry/inference.<pool>`, with an endpoint of its own in module.yaml; the pool
`default` is `scurry/inference`.
"""

from __future__ import annotations

import re
from typing import Final

from scurry.wire.names import INFERENCE

DEFAULT_POOL: Final = "default"
POOL_NAME: Final = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
"""What a pool may be called: its name is part of a function's type, of a variable's name and of a Service's."""
SAY: Final = "lower-case letters, digits and '-', at most 32, the first a letter, the last no '-'"
VARIABLE: Final = re.compile(r"SCURRY_WORKERS_[A-Z][A-Z0-9_]*")
"""What the variables are called that tell the job where the workers of further pools are."""


def function_of(pool: str) -> str:
    """The function that the workers of a pool serve; the empty name is the default pool's."""
    return INFERENCE if pool in ("", DEFAULT_POOL) else f"{INFERENCE}.{pool}"


def pool_of(function: str) -> str:
    """The pool whose workers serve a function; empty when it is not one of theirs."""
    if function == INFERENCE:
        return DEFAULT_POOL
    name = function.removeprefix(f"{INFERENCE}.")
    return name if name != function and POOL_NAME.fullmatch(name) else ""


def variable_of(pool: str) -> str:
    """The variable that tells the job where the workers of a pool are."""
    return "SCURRY_WORKERS" if pool == DEFAULT_POOL else f"SCURRY_WORKERS_{pool.upper().replace('-', '_')}"
