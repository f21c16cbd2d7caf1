"""A backbone that learned seeing by shapes, and two heads on it that sort waste.

The first version is what a hurried afternoon gives: the head alone, few pictures. The second has seen more of them, and
the backbone's last layers were fine-tuned with it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow is imported
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
import tensorflow as tf
from examples.waste.images import SHAPES, SIZE, WASTE, Bytes, shape, waste

FIRST = 1_000_000
"""The first piece of waste to train with: far from those that are asked about."""
FINE_TUNED = 5
"""Layers of the backbone that go on learning with the second head: the last two convolutions and what follows them."""
CONFIG = {
    "max_batch_size": 16,
    "preprocessing": [{"input": "image", "to": "pixels", "decode": "RGB", "resize": [SIZE, SIZE], "scale": "1/255"}],
    "postprocessing": [{"output": "output_0", "to": "kind", "top": 1, "labels": list(WASTE)}],
}
"""JPEG in, kind and probability out: the workers take all steps."""


@dataclass(frozen=True)
class Amount:
    """How much is learned from."""

    shapes: int
    epochs: int
    few: int
    many: int


def train(folder: Path, amount: Amount) -> Path:
    """Train, export both versions as SavedModels below `folder`; the config that is common to them."""
    keras.utils.set_random_seed(7)
    tf.config.threading.set_intra_op_parallelism_threads(1)  # threads that wait for each other only cost a busy machine
    backbone = _backbone()
    _fit(_headed(backbone, SHAPES), shape, range(amount.shapes), amount.epochs, 3e-3)
    for layer in backbone.layers:
        layer.trainable = False
    first = _headed(backbone, WASTE)
    _fit(first, waste, range(FIRST, FIRST + amount.few), 20, 1e-2)
    first.export(folder / "1" / "model.savedmodel", verbose=False)
    second, numbers = _headed(backbone, WASTE), range(FIRST, FIRST + amount.many)
    _fit(second, waste, numbers, 3, 1e-2)
    for layer in backbone.layers[-FINE_TUNED:]:
        layer.trainable = True
    _fit(second, waste, numbers, amount.epochs, 1e-3)
    second.export(folder / "2" / "model.savedmodel", verbose=False)
    config = folder / "config.json"
    config.write_text(json.dumps(CONFIG, indent=1))
    return config


def _backbone() -> Any:  # noqa: ANN401 - Keras has no types
    """Pixels in, features out."""
    layers: list[Any] = [keras.Input((SIZE, SIZE, 3))]
    for wide in (16, 32, 64, 64):
        layers += [keras.layers.Conv2D(wide, 3, 2, "same", activation="relu")]
        layers += [keras.layers.BatchNormalization(momentum=0.9)]  # as few steps as these go by in tens
    return keras.Sequential([*layers, keras.layers.GlobalMaxPooling2D()])


def _headed(backbone: Any, kinds: Sequence[str]) -> Any:  # noqa: ANN401
    """The backbone, and a head that tells these kinds apart."""
    pixels = keras.Input((SIZE, SIZE, 3), name="pixels")
    return keras.Model(pixels, keras.layers.Dense(len(kinds), activation="softmax")(backbone(pixels)))


def _fit(model: Any, draw: Callable[[int], Bytes], numbers: range, epochs: int, rate: float) -> None:  # noqa: ANN401
    """Train with the pictures of these numbers; a number, divided by the number of kinds, leaves its kind."""
    with ThreadPoolExecutor() as threads:
        pictures = np.stack(list(threads.map(draw, numbers))).astype(np.float32) / 255
    truths = np.array(numbers) % model.output_shape[-1]
    model.compile(keras.optimizers.Adam(rate), "sparse_categorical_crossentropy")
    model.fit(pictures, truths, batch_size=32, epochs=epochs, verbose=0)
