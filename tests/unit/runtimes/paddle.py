"""A Paddle model made without Paddle: its graph is a protobuf message, its weights are laid end to end."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 10
FLOAT, TENSOR, FEED, FETCH = 5, 7, 9, 10
"""Numbers of types in Paddle's framework.proto."""
INT, BOOLEAN = 0, 6
"""Those of attributes."""


def network(folder: Path) -> Path:
    """Four numbers in, three out: a product with `WEIGHTS`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "model.pdmodel"
    kept = _field(1, b"w") + _field(2, _tensor_type(4, 3)) + _number(3, 1)
    variables = [
        _field(1, b"feed") + _field(2, _number(1, FEED)) + _number(3, 1),
        _field(1, b"fetch") + _field(2, _number(1, FETCH)) + _number(3, 1),
        _field(1, b"x") + _field(2, _tensor_type(-1, 4)),
        _field(1, b"y") + _field(2, _tensor_type(-1, 3)),
        kept,
    ]
    operators = [
        _operator("feed", {"X": "feed"}, {"Out": "x"}, _attribute("col", INT, 0)),
        _operator("matmul_v2", {"X": "x", "Y": "w"}, {"Out": "y"}, _attribute("trans_x", BOOLEAN, 0),
                  _attribute("trans_y", BOOLEAN, 0)),
        _operator("fetch", {"X": "y"}, {"Out": "fetch"}, _attribute("col", INT, 0)),
    ]  # fmt: skip
    block = _number(1, 0) + _number(2, -1) + b"".join(_field(3, each) for each in variables)
    block += b"".join(_field(4, each) for each in operators)
    path.write_bytes(_field(1, block) + _field(4, _number(1, 2_000_000)))
    described = _number(1, FLOAT) + _number(2, 4) + _number(2, 3)
    header = struct.pack("<IQIi", 0, 0, 0, len(described))
    path.with_suffix(".pdiparams").write_bytes(header + described + WEIGHTS.tobytes())
    return path


def _varint(value: int) -> bytes:
    value, out = value & (1 << 64) - 1, bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _tensor_type(*shape: int) -> bytes:
    tensor = _number(1, FLOAT) + b"".join(_number(2, size) for size in shape)
    return _number(1, TENSOR) + _field(3, _field(1, tensor) + _number(2, 0))


def _attribute(name: str, kind: int, value: int) -> bytes:
    return _field(1, name.encode()) + _number(2, kind) + _number(3 if kind == INT else 10, value)


def _operator(kind: str, inputs: dict[str, str], outputs: dict[str, str], *attributes: bytes) -> bytes:
    made = b""
    for number, ports in ((1, inputs), (2, outputs)):
        for name, argument in ports.items():
            made += _field(number, _field(1, name.encode()) + _field(2, argument.encode()))
    return made + _field(3, kind.encode()) + b"".join(_field(4, each) for each in attributes)
