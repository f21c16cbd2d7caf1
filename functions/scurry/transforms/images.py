"""Encoded pictures, made into the tensor that a bare model takes.

For models whose config has no `preprocessing`: all that is known of them is their signature. The size, the layout
(channels first or last, or none) and the range follow from the shape and datatype of the input: 0 to 1 for floats, 0 to
255 for integers. A model that takes BYTES gets the picture as it is. Pure: bytes in, array out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.transforms.pictures import decode, pillow
from scurry.transforms.specs import Unusable
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.tensors import DTYPES, Array, is_float

if TYPE_CHECKING:
    from collections.abc import Sequence

FREE_SIDE: Final = 224
"""Height or width where the model takes any."""


def to_tensor(picture: bytes, datatype: str, shape: Sequence[int]) -> Array:
    """The picture as an input of this datatype and shape, the batch dimension included."""
    if datatype == "BYTES":
        return np.array([picture], dtype=object)
    channels_first, height, width, channels = layout(shape)
    pixels = _decode(picture, width, height, channels)
    if channels and channels_first:
        pixels = np.moveaxis(pixels, -1, 0)
    dtype = DTYPES[datatype]
    scaled = pixels.astype(dtype) / 255 if is_float(dtype) else pixels.astype(dtype)
    batch = [] if len(shape) < 3 + bool(channels) else [1]
    return scaled.astype(dtype).reshape(*batch, *pixels.shape)


def layout(shape: Sequence[int]) -> tuple[bool, int, int, int]:
    """Whether channels come first, height, width and channels (0: no such dimension) of an input of this shape."""
    if len(shape) == 2 and shape[0] < 0 < shape[1]:
        raise InvalidRequest("input_shape", f"An input of shape {list(shape)} takes rows of numbers, not a picture.")
    inner = shape[1:] if len(shape) == 4 or (len(shape) == 3 and shape[0] in (-1, 1)) else shape
    if len(inner) == 3 and inner[0] in (1, 3):
        return True, _side(inner[1]), _side(inner[2]), inner[0]
    if len(inner) == 3 and inner[2] in (1, 3):
        return False, _side(inner[0]), _side(inner[1]), inner[2]
    if len(inner) == 2:
        return False, _side(inner[0]), _side(inner[1]), 0
    raise InvalidRequest("input_shape", f"An input of shape {list(shape)} does not look like a picture.")


def _side(size: int) -> int:
    return size if size > 0 else FREE_SIDE


def _decode(picture: bytes, width: int, height: int, channels: int) -> Array:
    """Pixels as height × width (× channels)."""
    try:
        pillow()
    except Failed:
        raise InvalidRequest("not_allowed", "Pictures need the package pillow: pip install pillow.") from None
    try:
        image = decode(picture, gray=channels != 3)
    except Unusable as cause:
        raise InvalidRequest("bad_request", f"It {cause}.") from None
    pixels = np.asarray(image.resize((width, height)))
    return pixels[..., np.newaxis] if channels == 1 else pixels
