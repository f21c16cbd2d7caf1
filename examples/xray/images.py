"""Pictures that look like chest X-rays, drawn: no patient is in them.

Two dark lungs in a bright body, a heart, a spine, ribs, and noise; every other one has a finding, a bright blurred spot
somewhere in a lung, sometimes hardly to be seen.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

Floats = npt.NDArray[np.floating]

SIZE = 512
"""Pixels of a side."""
COARSE = SIZE // 2
"""Shapes are smooth: they are drawn at half the size."""
LABELS = ("clear", "finding")
Y, X = np.mgrid[-1 : 1 : COARSE * 1j, -1 : 1 : COARSE * 1j].astype(np.float32)
GRAIN = np.random.default_rng(0).normal(0, 6, (2 * SIZE, 2 * SIZE)).astype(np.float32)


def truth(number: int) -> int:
    """What the picture of this number shows, a place in `LABELS`."""
    return number % 2


def draw(number: int) -> Image.Image:
    """The picture of this number: always the same one."""
    rng = np.random.default_rng([7, number])
    body = _chest(rng)
    if truth(number):
        body += _finding(rng)
    large = Image.fromarray(body).resize((SIZE, SIZE), Image.Resampling.BICUBIC)
    down, right = rng.integers(0, SIZE, 2)
    grained = np.asarray(large) + GRAIN[down : down + SIZE, right : right + SIZE] * rng.uniform(0.7, 1.3)
    return Image.fromarray(np.clip(grained, 0, 255).astype(np.uint8))


def write(folder: Path, numbers: range) -> list[Path]:
    """These pictures as JPEG files, in the order of their numbers."""
    folder.mkdir()
    files = [folder / f"chest-{number:06d}.jpg" for number in numbers]
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda number, file: draw(number).save(file, quality=90), numbers, files))
    return files


def _chest(rng: np.random.Generator) -> Floats:
    wide, high, tilt = rng.uniform(0.9, 1.1), rng.uniform(0.9, 1.1), rng.uniform(-0.05, 0.05)
    x, y = X / wide + tilt * Y, Y / high
    body = 175 - 60 * np.abs(x) ** 3 - 20 * y
    for side in (-1, 1):
        body -= 105 * _ellipse(x - side * 0.45, y + 0.05, 0.33, 0.68, 12)
    body += 55 * _ellipse(x - 0.17, y - 0.32, 0.28, 0.27, 8)  # the heart, on the left: right in the picture
    body += 35 * np.exp(-((x / 0.1) ** 2))  # the spine
    ribs = np.sin(rng.uniform(18, 22) * (y + 0.35 * x**2) + rng.uniform(0, 6.3))
    body += 13 * np.clip(ribs, 0, None) * (np.abs(x) < 0.85)
    return body.astype(np.float32)


def _finding(rng: np.random.Generator) -> Floats:
    side, radius = rng.choice((-1, 1)), rng.uniform(0.08, 0.2)
    x, y = side * rng.uniform(0.32, 0.58), rng.uniform(-0.5, 0.35)
    distance = ((X - x) / radius) ** 2 + ((Y - y) / (radius * rng.uniform(0.7, 1.3))) ** 2
    return (rng.uniform(14, 60) * np.exp(-distance)).astype(np.float32)


def _ellipse(x: Floats, y: Floats, wide: float, high: float, sharpness: float) -> Floats:
    """1 within, 0 outside, blurred between."""
    distance = (x / wide) ** 2 + (y / high) ** 2
    return 1 / (1 + np.exp(np.clip(sharpness * (distance - 1), -30, 30)))
