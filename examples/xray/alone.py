"""One process alone: read, decode, ask, the next one, as a first script does it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import torch
from examples.xray.images import LABELS
from examples.xray.result import Found, Run
from examples.xray.train import Trained, prepared
from PIL import Image


def ask(trained: Trained, files: Sequence[Path]) -> Run:
    """Each picture after the other, on one core."""
    torch.set_num_threads(1)
    net = trained.net
    found: dict[str, Found] = {}
    start = time.perf_counter()
    with torch.inference_mode():
        for file in files:
            with Image.open(file) as image:
                x = torch.from_numpy(prepared(image))[None, None]
            shares = torch.softmax(net(x), 1)[0]
            best = int(shares.argmax())
            found[file.name] = Found(LABELS[best], float(shares[best]))
    return Run("one process alone", len(files), time.perf_counter() - start, found)
