"""A model's input that is made of encoded pictures."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.transforms import config, geometry
from scurry.transforms.pictures import COLORS, LEAST_BYTES, MAX_PIXELS, decode, pillow
from scurry.transforms.pixels import LAYOUTS, guessed_layout, looked_up, table
from scurry.transforms.specs import Preparation, Spec, Unusable
from scurry.transforms.texts import LETTERS, from_base64
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.transforms.geometry import Geometry

KNOWN: Final = frozenset({"input", "to", "decode", "base64", "resize", "crop", "layout", "scale", "mean", "std"})
DECODE: Final = ("color", "max_pixels", "draft")


@dataclass(frozen=True, slots=True)
class Picture:
    """From the bytes of one picture to one row of the model's input."""

    color: str
    max_pixels: int
    geometry: Geometry
    sides: tuple[int, int]
    layout: str  # without N
    values: Array
    base64: bool  # whether a base64 text of a picture is taken as well
    draft: int = 0  # pixels of the shorter side for which a JPEG need not be decoded in full

    def row(self, sent: Sequence[Any]) -> Array:
        """The row for one picture. Raises `Unusable`."""
        encoded, gray = self._picture(bytes(sent[0])), self.color == "GRAY"
        image = decode(encoded, gray=gray, max_pixels=self.max_pixels, draft=self.draft)
        image = self.geometry.apply(image, self.max_pixels)
        if (image.height, image.width) != self.sides:
            height, width = self.sides
            raise Unusable(f"is a picture of {image.width} by {image.height}; the model takes {width} by {height}")
        pixels = np.asarray(image)
        pixels = pixels[..., np.newaxis] if pixels.ndim == 2 else pixels
        return looked_up(pixels[..., ::-1] if self.color == "BGR" else pixels, self.values, self.layout)

    def _picture(self, sent: bytes) -> bytes:
        """What was sent, out of base64 if it is that: no encoded picture consists of base64's letters only."""
        if len(sent) < LEAST_BYTES:
            raise Unusable(f"is no picture: it has {len(sent)} bytes")
        return from_base64(sent) if self.base64 and not sent[:LEAST_BYTES].translate(None, LETTERS) else sent


def prepare(where: str, entry: Mapping[str, Any], to: Spec) -> Preparation:
    """How pictures become this input. Raises `load_failed`."""
    pillow()
    config.step(where, entry, KNOWN)
    given = entry["decode"]
    given = {} if given is True else {"color": given} if isinstance(given, str) else given
    given = config.step(f"{where}.decode", given, DECODE)
    color = config.choice(f"{where}.decode", given, "color", COLORS, "RGB")
    most = config.whole(f"{where}.decode.max_pixels", given.get("max_pixels", MAX_PIXELS), 1, 2**30)
    shape = geometry.parse(where, entry)
    layout = _layout(where, entry, to, COLORS[color])
    picture = Picture(
        color,
        most,
        shape,
        _sides(where, shape, layout, to),
        layout.removeprefix("N"),
        _values(where, entry, to, COLORS[color]),
        config.flag(where, entry, "base64", default=True),
        shape.needs if config.flag(f"{where}.decode", given, "draft") else 0,
    )
    stacked = layout.startswith("N")
    takes = Spec(config.text(where, entry, "input", to.name), "BYTES", (to.shape[0] if stacked else 1,))
    return Preparation(to, (takes,), picture.row, (_sample(picture.sides),), stacked, costly=True)


def _layout(where: str, entry: Mapping[str, Any], to: Spec, channels: int) -> str:
    """As stated, else the only one that the model's shape leaves; held against that shape."""
    guessed = guessed_layout(to.shape, channels)
    if "layout" not in entry and not guessed:
        config.refuse(where, f"needs a layout ({', '.join(LAYOUTS)}) for input {to.name!r} {list(to.shape)}")
    layout = config.choice(where, entry, "layout", LAYOUTS, guessed)
    if len(layout) != len(to.shape):
        config.refuse(f"{where}.layout", f"is {layout}, but input {to.name!r} has the shape {list(to.shape)}")
    size = dict(zip(layout, to.shape, strict=True)).get("C", 1)
    if size not in (-1, channels) or ("C" not in layout and channels != 1):
        sentence = f"gives {channels} channels, but input {to.name!r} is {list(to.shape)} in the layout {layout}"
        config.refuse(f"{where}.decode", sentence)
    return layout


def _sides(where: str, shape: Geometry, layout: str, to: Spec) -> tuple[int, int]:
    """Height and width of every row."""
    by = dict(zip(layout, to.shape, strict=True))
    fixed = (by["H"], by["W"])
    if shape.sides is None:
        if isinstance(shape.size, int):
            config.refuse(f"{where}.resize", "is a shorter side, which leaves the longer one open: add a crop")
        if min(fixed) < 0:
            config.refuse(where, f"must say resize or crop: input {to.name!r} is {list(to.shape)}, of any size")
        return fixed
    if any(want not in (-1, side) for side, want in zip(shape.sides, fixed, strict=True)):
        made, height, width = list(shape.sides), *fixed
        config.refuse(where, f"makes pictures of {made}, but input {to.name!r} takes height {height}, width {width}")
    return shape.sides


def _values(where: str, entry: Mapping[str, Any], to: Spec, channels: int) -> Array:
    dtype = DTYPES.get(to.datatype)
    if dtype is None or dtype.kind == "b":
        config.refuse(where, f"makes numbers of pictures, but input {to.name!r} is {to.datatype}")
    scale = config.number(f"{where}.scale", entry.get("scale", 1))
    mean = config.numbers(f"{where}.mean", entry.get("mean", 0), channels, "channels")
    std = config.numbers(f"{where}.std", entry.get("std", 1), channels, "channels")
    if 0 in std:
        config.refuse(f"{where}.std", "must not be 0")
    return table(to.datatype, scale, mean, std)


def _sample(sides: tuple[int, int]) -> bytes:
    """A picture to try the model with: greys from dark to light, of the size that comes out."""
    height, width = sides
    ramp = np.linspace(0, 255, height * width).astype(np.uint8).reshape(height, width)
    encoded = io.BytesIO()
    pillow().fromarray(ramp).save(encoded, "PNG")
    return encoded.getvalue()
