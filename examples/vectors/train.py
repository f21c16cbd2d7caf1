"""An autoencoder for the records, and its first half as an ONNX model."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import onnx
from examples.vectors.records import FIELDS, Floats
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor

WIDTH = 8
"""Numbers of an embedding."""
HALF = 2
"""Layers of the encoder; the decoder has as many."""


def train(rows: Floats, epochs: int) -> tuple[MLPRegressor, float]:
    """A network that gives back what it was given, through a few numbers, and how much of the variance comes back."""
    network = MLPRegressor(
        hidden_layer_sizes=(64, WIDTH, 64), activation="tanh", max_iter=epochs, batch_size=256, random_state=7
    )
    scaled = (rows - rows.mean(0)) / rows.std(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is good enough long before that
        network.fit(scaled, scaled)
    return network, float(network.score(scaled, scaled))


def save_encoder(network: MLPRegressor, rows: Floats, file: Path) -> None:
    """Records as they are in, embeddings out: the scaling is part of the model."""
    nodes, weights, before = [], {"mean": rows.mean(0), "std": rows.std(0)}, "scaled"
    nodes += [
        helper.make_node("Sub", ["record", "mean"], ["centred"]),
        helper.make_node("Div", ["centred", "std"], ["scaled"]),
    ]
    for layer in range(HALF):
        name = "embedding" if layer == HALF - 1 else f"hidden{layer}"
        weights |= {f"w{layer}": network.coefs_[layer], f"b{layer}": network.intercepts_[layer]}
        nodes.append(helper.make_node("Gemm", [before, f"w{layer}", f"b{layer}"], [f"sum{layer}"]))
        nodes.append(helper.make_node("Tanh", [f"sum{layer}"], [name]))
        before = name
    record = helper.make_tensor_value_info("record", TensorProto.FLOAT, ["rows", FIELDS])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["rows", WIDTH])
    known = [numpy_helper.from_array(np.asarray(values, np.float32), name) for name, values in weights.items()]
    graph = helper.make_graph(nodes, "encoder", [record], [embedding], known)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10), file)
