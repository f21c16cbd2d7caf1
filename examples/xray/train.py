"""A small network that sees the findings, trained and saved as TorchScript."""

from __future__ import annotations

import json
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from examples.xray.images import LABELS, Floats, draw, truth
from PIL import Image

INPUT = 128
"""Pixels of a side, as the network wants them."""
MEAN, STD = 0.45, 0.25
FIRST = 1_000_000
"""The first picture to train with: far from those that are asked about."""
CONFIG = {
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 1, INPUT, INPUT]}],
    "outputs": [{"name": "scores", "datatype": "FP32", "shape": [-1, len(LABELS)]}],
    "max_batch_size": 8,  # of which the network makes 64 views
    "threads": 1,  # of each worker: it decodes the next pictures meanwhile
    "preprocessing": [
        {
            "input": "image",
            "to": "x",
            "decode": "GRAY",
            "resize": [INPUT, INPUT],
            "scale": "1/255",
            "mean": MEAN,
            "std": STD,
        }
    ],
    "postprocessing": [{"output": "scores", "to": "finding", "softmax": True, "top": 1, "labels": list(LABELS)}],
}
"""JPEG in, label and probability out: the workers take all steps."""


@dataclass(frozen=True)
class Trained:
    """The model as it lies in its folder, and open here."""

    file: Path
    config: Path
    net: Any


def prepared(image: Image.Image) -> Floats:
    """The numbers that the network wants, as `preprocessing` makes them."""
    small = image.convert("L").resize((INPUT, INPUT), Image.Resampling.BILINEAR)
    return (np.asarray(small, np.float32) / 255 - MEAN) / STD


def train(folder: Path, count: int, epochs: int) -> Trained:
    """Train with so many pictures and save."""
    torch.manual_seed(7)
    torch.set_num_threads(1)  # threads that wait for each other are slower where others compute too
    numbers = range(FIRST, FIRST + count)
    with ThreadPoolExecutor() as threads:
        pictures = torch.tensor(np.stack(list(threads.map(lambda number: prepared(draw(number)), numbers))))[:, None]
    net = Views(_fit(_net(), pictures, torch.tensor([truth(number) for number in numbers]), epochs)).eval()
    folder.mkdir()
    trained = Trained(folder / "model.pt", folder / "config.json", net)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", (FutureWarning, DeprecationWarning))  # what writes TorchScript is deprecated
        torch.jit.trace(net, pictures[:2]).save(str(trained.file))
    trained.config.write_text(json.dumps(CONFIG, indent=1))
    return trained


class Views(torch.nn.Module):
    """Looks at each picture eight times, mirrored and moved by a pixel, and takes the mean."""

    def __init__(self, net: Any) -> None:  # noqa: ANN401
        super().__init__()
        self.net = net

    def forward(self, x: Any) -> Any:  # noqa: ANN401
        """The scores of each row."""
        moved = [x.roll((down, right), (2, 3)) for down in (0, 1) for right in (0, 1)]
        views = torch.cat([*moved, *(each.flip(3) for each in moved)])
        return self.net(views).reshape(2 * len(moved), -1, len(LABELS)).mean(0)


def _net() -> Any:  # noqa: ANN401 - torch's modules
    layers: list[Any] = []
    for before, after in ((1, 16), (16, 32), (32, 64), (64, 64)):
        layers += [torch.nn.Conv2d(before, after, 3, 2, 1), torch.nn.BatchNorm2d(after), torch.nn.ReLU()]
    # A finding is small: the brightest place of each map tells of it, not the mean.
    return torch.nn.Sequential(
        *layers, torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, len(LABELS))
    )


def _fit(net: Any, pictures: Any, truths: Any, epochs: int) -> Any:  # noqa: ANN401
    steps = epochs * (len(pictures) // 32)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.01, total_steps=steps)
    for _ in range(epochs):
        for chosen in torch.randperm(len(pictures)).split(32):
            if len(chosen) < 32:
                continue
            batch = pictures[chosen]
            loss = torch.nn.functional.cross_entropy(
                net(batch.flip(3) if torch.rand(1) < 0.5 else batch), truths[chosen]
            )
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return net.eval()
