"""A Caffe network made without Caffe: its weights are one protobuf message."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WEIGHTS = np.arange(12, dtype=np.float32).reshape(3, 4) / 10
BIAS = np.array([1, 2, 3], np.float32)
TOP = 'input: "data" input_dim: 1 input_dim: 4 input_dim: 1 input_dim: 1'
LAYER = 'layer { name: "in" type: "Input" top: "data" input_param { shape: { dim: 1 dim: 4 dim: 1 dim: 1 } } }'
LAYERS = """
layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip" inner_product_param { num_output: 3 } }
layer { name: "prob" type: "Softmax" bottom: "ip" top: "prob" }
"""


def network(folder: Path, head: str = TOP, name: str = "deploy", weights: str = "deploy") -> Path:
    """Scores of three classes and their softmax."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.prototxt"
    path.write_text(f'name: "net"\n{head}\n{LAYERS}')
    layer = _field(1, b"ip") + _field(2, b"InnerProduct") + _field(3, b"data") + _field(4, b"ip")
    layer += _blob(WEIGHTS) + _blob(BIAS)
    (folder / f"{weights}.caffemodel").write_bytes(_field(1, b"net") + _field(100, layer))
    return path


def expected(rows: np.ndarray) -> np.ndarray:
    """What the network gives, worked out by numpy."""
    scores = np.exp(rows.reshape(len(rows), 4) @ WEIGHTS.T + BIAS)
    result: np.ndarray = scores / scores.sum(axis=1, keepdims=True)
    return result


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _blob(array: np.ndarray) -> bytes:
    shape = _field(1, b"".join(map(_varint, array.shape)))
    return _field(7, _field(7, shape) + _field(5, array.astype("<f4").tobytes()))
