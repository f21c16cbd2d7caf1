"""Irises in a CSV file, and a classifier of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, Int64TensorType
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier

NAME = "iris"


@dataclass(frozen=True)
class Flowers:
    """Where table and model lie, and what the classifier says of each row."""

    table: Path
    model: Path
    species: list[int]


def train(folder: Path, count: int) -> Flowers:
    """A forest, and so many flowers: scikit-learn's, each a little larger or smaller."""
    measured, species = load_iris(return_X_y=True)
    forest = RandomForestClassifier(20, random_state=0).fit(measured.astype(np.float32), species)
    numbers = np.random.default_rng(0)
    drawn = measured[numbers.integers(0, len(measured), count)] * numbers.normal(1, 0.05, (count, 4))
    rows = np.round(drawn, 2).astype(np.float32)
    table, model = folder / "flowers.csv", folder / "iris.onnx"
    table.write_text("".join(f"{at},{','.join(f'{x:.2f}' for x in row)}\n" for at, row in enumerate(rows)))
    # Flink's provider for Triton sends the names of columns in capitals.
    onnx = convert_sklearn(
        forest,
        initial_types=[("FEATURES", FloatTensorType([None, 4]))],
        final_types=[("SPECIES", Int64TensorType([None])), ("PROBABILITIES", FloatTensorType([None, 3]))],
        options={"zipmap": False},
        target_opset=17,
    )
    model.write_bytes(onnx.SerializeToString())
    return Flowers(table, model, [int(each) for each in forest.predict(rows)])
