"""The size of a picture: resized, letterboxed, cropped.

As torchvision does it: `resize` with one number is the shorter side, with two height and width; `crop` cuts out of the
middle and fills with black where the picture is smaller. A letterbox keeps the ratio and fills what is left. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scurry.transforms import config
from scurry.transforms.pictures import pillow
from scurry.transforms.specs import Unusable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from PIL.Image import Image

MOST_SIDE: Final = 8192
"""Largest height or width that a config may ask for."""
INTERPOLATIONS: Final = ("nearest", "box", "bilinear", "hamming", "bicubic", "lanczos")
"""Pillow's; all but the first smooth what they make smaller."""
RESIZE: Final = ("size", "interpolation", "letterbox", "fill")


@dataclass(frozen=True, slots=True)
class Geometry:
    """What is done to height and width; `sides` is what comes out, None: it depends on the picture."""

    size: int | tuple[int, int] | None = None
    interpolation: str = "bilinear"
    letterbox: bool = False
    fill: int = 0
    crop: tuple[int, int] | None = None

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width of every picture that comes out."""
        return self.crop or (self.size if isinstance(self.size, tuple) else None)

    @property
    def needs(self) -> int:
        """Pixels that the shorter side of a picture should have, for nothing to be lost; 0: all it has."""
        return self.size if isinstance(self.size, int) else max(self.size or (0,))

    def apply(self, image: Image, max_pixels: int) -> Image:
        """The picture in its new size. Raises `Unusable`."""
        if self.size is not None:
            image = self._resized(image, max_pixels)
        return image if self.crop is None else _cropped(image, *self.crop)

    def _resized(self, image: Image, max_pixels: int) -> Image:
        height, width, tall, wide = self._target(image.height, image.width)
        if height * width > max_pixels:
            raise Unusable(f"is a picture of {image.width} by {image.height}, too narrow to be resized")
        how = pillow().Resampling[self.interpolation.upper()]
        resized = image.resize((width, height), how) if image.size != (width, height) else image
        if not self.letterbox:
            return resized
        box = pillow().new(image.mode, (wide, tall), tuple([self.fill] * len(image.getbands())))
        box.paste(resized, ((wide - width) // 2, (tall - height) // 2))
        return box  # type: ignore[no-any-return]

    def _target(self, height: int, width: int) -> tuple[int, int, int, int]:
        """Height and width of the picture, then of the box that it lies in."""
        if isinstance(self.size, int):  # torchvision cuts the fraction off
            short = self.size
            long = int(short * max(height, width) / min(height, width))
            return (long, short, long, short) if width <= height else (short, long, short, long)
        tall, wide = self.size or (height, width)
        if not self.letterbox:
            return tall, wide, tall, wide
        ratio = min(tall / height, wide / width)
        return max(1, round(height * ratio)), max(1, round(width * ratio)), tall, wide


def _cropped(image: Image, height: int, width: int) -> Image:
    left, top = _offset(image.width, width), _offset(image.height, height)
    return image.crop((left, top, left + width, top + height))


def _offset(size: int, want: int) -> int:
    return round((size - want) / 2) if want <= size else -((want - size) // 2)


def parse(where: str, entry: Mapping[str, Any]) -> Geometry:
    """What `resize` and `crop` of an entry say. Raises `load_failed`."""
    crop = config.sides(f"{where}.crop", entry["crop"], MOST_SIDE) if "crop" in entry else None
    if "resize" not in entry:
        return Geometry(crop=crop)
    given, here = entry["resize"], f"{where}.resize"
    given = config.step(here, given if isinstance(given, dict) else {"size": given}, RESIZE)
    if "size" not in given:
        config.refuse(here, "has no size")
    sides = config.sides(f"{here}.size", given["size"], MOST_SIDE)
    letterbox = config.flag(here, given, "letterbox")
    return Geometry(
        sides if letterbox or isinstance(given["size"], list) else sides[0],
        config.choice(here, given, "interpolation", INTERPOLATIONS, "bilinear"),
        letterbox,
        config.whole(f"{here}.fill", given.get("fill", 0), 0, 255),
        crop,
    )
