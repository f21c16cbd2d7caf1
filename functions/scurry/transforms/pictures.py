"""Encoded pictures, made into pixels as a viewer would show them.

The orientation that a camera noted is followed. Greyscale, palettes, 16 bits and CMYK become the colours asked for;
transparency is dropped, as torchvision and OpenCV drop it. Of an animation the first picture counts. Pure.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.transforms.specs import Unusable
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS: Final = ("JPEG", "PNG", "WEBP", "BMP", "GIF")
"""What is opened; Pillow's other formats are seldom needed and seldom looked after."""
COLORS: Final = {"RGB": 3, "BGR": 3, "GRAY": 1}
"""Orders of colour, with their channels."""
MAX_PIXELS: Final = 50_000_000
"""A picture may have so many, unless the config says otherwise: 200 MB while it is decoded."""
LEAST_BYTES: Final = 24
"""No encoded picture is shorter than this."""


def pillow() -> Any:  # noqa: ANN401 - a package that may be absent
    """Pillow's module of pictures. Raises `load_failed` where it is missing."""
    try:
        from PIL import Image  # noqa: PLC0415 - an extra
    except ImportError:
        sentence = "Pictures need pillow, which is missing here: pip install 'scurry[image]'."
        raise Failed("load_failed", sentence) from None
    return Image


def decode(picture: bytes, *, gray: bool = False, max_pixels: int = MAX_PIXELS, draft: int = 0) -> Image:
    """The picture in RGB, or in greys. Raises `Unusable` for what is broken, too large or no picture.

    With `draft` a JPEG is decoded at the half, quarter or eighth of its size that still has twice so many pixels along
    its shorter side: several times as quick, and slightly different.
    """
    images = pillow()
    try:
        image = images.open(io.BytesIO(picture), formats=FORMATS)
    except images.UnidentifiedImageError:
        raise Unusable(f"is no picture that pillow can read ({', '.join(FORMATS)})") from None
    except Exception as cause:  # whatever bytes provoke in a decoder, among it what it takes for a bomb
        raise Unusable(f"cannot be read as a picture: {cause}") from None
    width, height = image.size
    if width * height > max_pixels:
        raise Unusable(f"is a picture of {width} by {height}; at most {max_pixels} pixels may be")
    if draft:
        image.draft(None, (2 * draft, 2 * draft))
    try:
        return _colored(_upright(image), "L" if gray else "RGB")
    except Exception as cause:
        raise Unusable(f"is a broken {image.format} picture: {cause}") from None


def _upright(image: Image) -> Image:
    from PIL import ImageOps  # noqa: PLC0415

    image.load()  # what is noted behind the pixels is known only then
    return ImageOps.exif_transpose(image)


def _colored(image: Image, mode: str) -> Image:
    if image.mode == mode:
        return image
    if image.mode.startswith("I"):  # 16 bits of grey: their upper half
        grey = np.asarray(image).astype(np.int64)
        image = pillow().fromarray(np.clip(grey >> 8, 0, 255).astype(np.uint8))
    if image.mode == "P" and "transparency" in image.info:
        image = image.convert("RGBA")
    return image.convert(mode)
