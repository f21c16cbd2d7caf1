"""Four small classifiers of handwritten digits, trained and exported."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
import skl2onnx
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Trained:
    """One version of a model: what it is and where it lies."""

    model: str
    version: str
    kind: str
    runtime: str
    file: Path

    @property
    def key(self) -> tuple[str, str]:
        """Model and version."""
        return self.model, self.version


@dataclass(frozen=True)
class HeldBack:
    """The images no classifier has seen, and which digit each shows."""

    images: Floats
    digits: npt.NDArray[np.int64]


def train(folder: Path) -> tuple[list[Trained], HeldBack]:
    """Train on three quarters of the 1,797 images and export to `folder`."""
    images, digits = load_digits(return_X_y=True)
    seen, unseen, seen_digits, unseen_digits = train_test_split(
        (images / 16).astype(np.float32), digits, test_size=0.25, stratify=digits, random_state=7
    )
    logistic = LogisticRegression(max_iter=500).fit(seen, seen_digits)
    network = MLPClassifier((48,), max_iter=1500, random_state=7).fit(seen, seen_digits)
    forest = RandomForestClassifier(60, random_state=7).fit(seen, seen_digits)
    trained = [
        Trained("digits", "1", "logistic regression", "onnx", _onnx(logistic, folder / "logistic.onnx")),
        Trained("digits", "2", "neural network", "onnx", _onnx(network, folder / "network.onnx")),
        Trained("digits-vino", "1", "neural network", "openvino", _ir(network, folder / "network.xml")),
        Trained("digits-vino", "2", "random forest", "onnx", _onnx(forest, folder / "forest.onnx")),
    ]
    return trained, HeldBack(unseen, unseen_digits.astype(np.int64))


def _export(classifier: Any) -> Any:  # noqa: ANN401 - scikit-learn in, ONNX out, both without types
    return skl2onnx.to_onnx(classifier, np.zeros((1, 64), np.float32), options={"zipmap": False})


def _onnx(classifier: Any, file: Path) -> Path:  # noqa: ANN401
    file.write_bytes(_export(classifier).SerializeToString())
    return file


def _ir(classifier: Any, file: Path) -> Path:  # noqa: ANN401
    """OpenVINO has no operator to look a label up, so this export gives the probabilities alone."""
    source = file.with_suffix(".part.onnx")
    source.write_bytes(select_model_inputs_outputs(_export(classifier), outputs=["probabilities"]).SerializeToString())
    openvino.save_model(openvino.convert_model(source), file, compress_to_fp16=False)
    source.unlink()
    return file
