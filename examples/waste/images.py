"""Pictures drawn by a script: shapes to learn seeing by, and waste to sort."""

from __future__ import annotations

import io
import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFilter

Bytes = npt.NDArray[np.uint8]
Points = list[tuple[float, float]]
Colour = tuple[int, int, int]
Painter = Callable[[np.random.Generator], Colour]

SIZE = 64
"""Pixels of a side."""
SHAPES = ("circle", "square", "triangle", "star", "cross", "ring")
"""What the backbone learns seeing by."""
WASTE = ("bottle", "can", "glass", "paper")
"""What has to be sorted."""


def shape(number: int) -> Bytes:
    """The shape of this number: always the same picture, of `SHAPES[number % len(SHAPES)]`."""
    rng = np.random.default_rng([1, number])
    return _scene(rng, SHAPES[number % len(SHAPES)], _any_colour, _any_colour)


def waste(number: int) -> Bytes:
    """The piece of waste of this number: always the same picture, of `WASTE[number % len(WASTE)]`."""
    rng = np.random.default_rng([2, number])
    return _scene(rng, WASTE[number % len(WASTE)], COLOURS[WASTE[number % len(WASTE)]], BELT)


def jpeg(picture: Bytes) -> bytes:
    """The picture as a camera sends it."""
    encoded = io.BytesIO()
    Image.fromarray(picture).save(encoded, "JPEG", quality=85)
    return encoded.getvalue()


def _any_colour(rng: np.random.Generator) -> Colour:
    red, green, blue = rng.integers(0, 256, 3)
    return int(red), int(green), int(blue)


def _near(*colours: Colour) -> Painter:
    """One of these, more or less."""

    def pick(rng: np.random.Generator) -> Colour:
        red, green, blue = np.clip(rng.choice(colours) + rng.integers(-40, 41, 3), 0, 255)
        return int(red), int(green), int(blue)

    return pick


COLOURS = {
    "bottle": _near((60, 140, 70), (120, 80, 40), (130, 180, 210)),
    "can": _near((190, 40, 40), (160, 165, 170), (50, 90, 170)),
    "glass": _near((150, 190, 200), (190, 200, 190), (110, 150, 120)),
    "paper": _near((225, 220, 205), (190, 165, 125), (170, 175, 180)),
}
BELT = _near((70, 70, 75), (110, 100, 90))
OUTLINES: dict[str, Points] = {  # around (0, 0), as wide and high as -1 to 1
    "square": [(-0.8, -0.8), (0.8, -0.8), (0.8, 0.8), (-0.8, 0.8)],
    "triangle": [(0, -0.9), (0.9, 0.7), (-0.9, 0.7)],
    "cross": [(-0.3, -1), (0.3, -1), (0.3, -0.3), (1, -0.3), (1, 0.3), (0.3, 0.3),
              (0.3, 1), (-0.3, 1), (-0.3, 0.3), (-1, 0.3), (-1, -0.3), (-0.3, -0.3)],
    "bottle": [(-0.13, -1), (0.13, -1), (0.13, -0.55), (0.34, -0.25),
               (0.34, 1), (-0.34, 1), (-0.34, -0.25), (-0.13, -0.55)],
    "can": [(-0.4, -0.75), (-0.32, -0.85), (0.32, -0.85), (0.4, -0.75),
            (0.4, 0.75), (0.32, 0.85), (-0.32, 0.85), (-0.4, 0.75)],
    "glass": [(-0.55, -0.8), (0.55, -0.8), (0.35, 0.85), (-0.35, 0.85)],
    "paper": [(-0.62, -0.9), (0.4, -0.9), (0.66, -0.6), (0.62, 0.9), (-0.66, 0.85)],
}  # fmt: skip


def _band(wide: float, high: float, low: float) -> Points:
    return [(-wide, high), (wide, high), (wide, low), (-wide, low)]


DETAILS: dict[str, list[tuple[Points, float]]] = {  # what else is seen of it, so much brighter or darker
    "bottle": [(_band(0.34, 0.1, 0.6), 1.7), (_band(0.13, -1, -0.85), 0.4)],
    "can": [(_band(0.36, -0.85, -0.7), 1.6), (_band(0.36, 0.7, 0.85), 1.6), (_band(0.4, -0.25, 0.25), 0.5)],
    "glass": [([(-0.4, -0.7), (-0.25, -0.7), (-0.18, 0.7), (-0.27, 0.7)], 1.6), (_band(0.55, -0.8, -0.7), 0.6)],
    "paper": [(_band(0.45, high, high + 0.09), 0.4) for high in (-0.6, -0.35, -0.1, 0.15, 0.4)],
}


def _scene(rng: np.random.Generator, what: str, colour: Painter, ground: Painter) -> Bytes:
    """One thing, turned and moved, on a ground that is never the same."""
    image = Image.new("RGB", (SIZE, SIZE), ground(rng))
    draw = ImageDraw.Draw(image)
    for _ in range(3):  # whatever else lies about
        left, top, wide, high = (int(each) for each in rng.integers((-10, -10, 8, 8), (SIZE, SIZE, 30, 30)))
        draw.rectangle((left, top, left + wide, top + high), ground(rng))
    middle, radius, turn = rng.uniform(0.4, 0.6, 2) * SIZE, rng.uniform(0.3, 0.45) * SIZE, rng.uniform(-0.6, 0.6)
    painted = colour(rng)
    if what in ("circle", "ring"):
        around = (*(middle - radius), *(middle + radius))
        draw.ellipse(around, painted if what == "circle" else None, painted, width=max(3, int(radius / 3)))
    else:
        draw.polygon(_turned(_outline(what), turn, middle, radius), painted, (20, 20, 20))
    for outline, light in DETAILS.get(what, ()):
        draw.polygon(_turned(outline, turn, middle, radius), tuple(min(255, int(each * light)) for each in painted))
    blurred = np.asarray(image.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 1))), np.float32)
    lit = blurred * rng.uniform(0.7, 1.2) + rng.normal(0, 9, blurred.shape)
    return np.clip(lit, 0, 255).astype(np.uint8)


def _outline(what: str) -> Points:
    if what != "star":
        return OUTLINES[what]
    turns = [(math.pi * corner / 5, 1 if corner % 2 else 0.45) for corner in range(10)]
    return [(far * math.sin(turn), far * math.cos(turn)) for turn, far in turns]


def _turned(points: Points, turn: float, middle: npt.NDArray[np.float64], radius: float) -> Points:
    matrix = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    return [tuple(point) for point in np.array(points) @ matrix.T * radius + middle]
