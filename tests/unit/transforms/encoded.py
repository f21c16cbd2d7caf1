"""Pictures made by tests."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image


def encode(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """The bytes of a picture."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def noise(seed: int, height: int, width: int, mode: str = "RGB") -> Image.Image:
    """Pixels drawn at random."""
    rng = np.random.default_rng(seed)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,), "LA": (2,), "CMYK": (4,)}[mode]
    return Image.fromarray(rng.integers(0, 256, (height, width, *channels)).astype(np.uint8), mode=None)
