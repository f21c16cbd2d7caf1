"""Pixels, made into the numbers that a model takes.

They are (pixel × scale - mean) / std, in its layout and type. A channel can have 256 values: what becomes of each is
worked out once, in double precision, and looked up. Pure.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

LAYOUTS: Final = ("NCHW", "NHWC", "NHW", "CHW", "HWC", "HW")
"""Orders of rows, channels, height and width."""


def table(datatype: str, scale: float, mean: Sequence[float], std: Sequence[float]) -> Array:
    """What each value of each channel becomes; whole numbers are rounded, and kept within what the type holds."""
    dtype = DTYPES[datatype]
    values = (np.arange(256.0) * scale - np.reshape(mean, (-1, 1))) / np.reshape(std, (-1, 1))
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        values = np.clip(np.rint(values), limits.min, limits.max)
    made: Array = values.astype(dtype)
    return made


def looked_up(pixels: Array, values: Array, layout: str) -> Array:
    """Height × width × channels of bytes, as the table has them and in that layout (without N)."""
    height, width, channels = pixels.shape
    first = layout.startswith("C")
    out = np.empty((channels, height, width) if first else (height, width, channels), values.dtype)
    for channel in range(channels):
        into = out[channel] if first else out[..., channel]
        if first:
            np.take(values[channel], pixels[..., channel], out=into, mode="clip")
        else:
            into[...] = values[channel][pixels[..., channel]]
    return out[..., 0] if layout == "HW" else out


def guessed_layout(shape: Sequence[int], channels: int) -> str:
    """The layout of a tensor of this shape for so many channels; empty when it could be several or none."""
    rows = {4: "N", 3: "", 2: ""}.get(len(shape), "?")
    inner = shape[1:] if rows == "N" else shape
    if len(inner) == 3:
        first, last = inner[0] == channels, inner[2] == channels
        return f"{rows}CHW" if first and not last else f"{rows}HWC" if last and not first else ""
    return "HW" if len(inner) == 2 and channels == 1 else ""
