"""Scores, made into shares, places and labels.

All of it works along the last dimension, so that rows stay independent of each other. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scurry.wire.tensors import BF16, Array

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def softmax(scores: Array) -> Array:
    """Shares that sum up to one; worked out with at least single precision, given in the scores' own type."""
    with np.errstate(invalid="ignore", over="ignore"):
        wide = scores.astype(np.result_type(scores.dtype, np.float32), copy=False)
        powers = np.exp(wide - wide.max(axis=-1, keepdims=True)) if wide.size else wide
        shares: Array = (powers / powers.sum(axis=-1, keepdims=True)).astype(scores.dtype)
    return shares


def sigmoid(scores: Array) -> Array:
    """Each by itself between 0 and 1, without overflow on either side."""
    wide = scores.astype(np.result_type(scores.dtype, np.float32), copy=False)
    small = np.exp(-np.abs(wide))
    found: Array = np.where(wide >= 0, 1 / (1 + small), small / (1 + small)).astype(scores.dtype)
    return found


def scaled(factor: float) -> Callable[[Array], Array]:
    """Each times a factor."""
    return lambda scores: (scores * factor).astype(scores.dtype)


def above(limit: float) -> Callable[[Array], Array]:
    """Which are at least the limit; NaN is not."""
    return lambda scores: scores >= limit


def largest(scores: Array, count: int) -> Array:
    """Places of the largest, the largest first; of equal ones the first comes first, NaN comes last."""
    scores = scores.astype(np.float32) if scores.dtype == BF16 else scores
    if count == 1 and scores.shape[-1] and not (scores.dtype.kind == "f" and np.isnan(scores).any()):
        best: Array = np.argmax(scores, axis=-1, keepdims=True)  # of equal ones the first, as below
        return best
    if scores.dtype.kind == "f":
        return np.argsort(-scores, axis=-1, kind="stable")[..., :count]
    backwards = np.argsort(scores[..., ::-1], axis=-1, kind="stable")[..., ::-1]
    places: Array = scores.shape[-1] - 1 - backwards[..., :count]
    return places


def labelled(places: Array, labels: Sequence[bytes]) -> Array:
    """The label of each place; a place without one has an empty label."""
    names = np.array([*labels, b""], dtype=object)
    known = (places >= 0) & (places < len(labels))
    found: np.ndarray[Any, np.dtype[Any]] = names[np.where(known, places, len(labels)).astype(np.int64)]
    return found
