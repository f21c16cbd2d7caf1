"""The files beside a model's own that it is made of.

Of a model of Python these are all in its directory. An ONNX file is a protobuf message; what of a tensor lies elsewhere
is named by the entry `location` of its `external_data`, relative to the file. Only the fields that lead there are
walked: weights in the file are skipped over. A Caffe network names no file: its weights are called like it, or are the
only ones beside it.
"""

from __future__ import annotations

from contextlib import suppress
from typing import IO, TYPE_CHECKING, Final

from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from pathlib import Path

ENTRY: Final = "StringStringEntryProto"
FIELDS: Final[dict[str, dict[int, str]]] = {
    "ModelProto": {7: "GraphProto", 20: "TrainingInfoProto", 25: "FunctionProto"},
    "TrainingInfoProto": {1: "GraphProto", 2: "GraphProto"},
    "GraphProto": {1: "NodeProto", 5: "TensorProto", 15: "SparseTensorProto"},
    "FunctionProto": {7: "NodeProto", 11: "AttributeProto"},
    "NodeProto": {5: "AttributeProto"},
    "AttributeProto": {
        **{5: "TensorProto", 10: "TensorProto", 6: "GraphProto", 11: "GraphProto"},
        **{22: "SparseTensorProto", 23: "SparseTensorProto"},
    },
    "SparseTensorProto": {1: "TensorProto", 2: "TensorProto"},
    "TensorProto": {13: ENTRY},
    ENTRY: {1: "key", 2: "value"},
}
"""Message → number of a field → what it holds, as in onnx.proto."""
MOST_FILES: Final = 1000
"""Files of a model of Python: its digest is made of all of them."""
DEPTH: Final = 64
"""Graphs within graphs; below that a file is no model that anybody wrote."""


def external_files(path: Path) -> tuple[Path, ...]:
    """Each once, by name; none for a file that is no ONNX model. Read, not mapped: it may be overwritten meanwhile."""
    if path.suffix == ".py":
        return _beside(path.parent)
    if path.suffix == ".prototxt":
        return _caffe_weights(path)
    if path.suffix != ".onnx":
        return ()
    found: set[str] = set()
    with path.open("rb") as file, suppress(IndexError, ValueError):  # whoever opens it says what is wrong with it
        _walk(file, path.stat().st_size, "ModelProto", found, DEPTH)
    return tuple(path.parent / name for name in sorted(found) if name and "\0" not in name)


def _beside(directory: Path) -> tuple[Path, ...]:
    """All that a model of Python may import or read. Raises `load_failed` where that is not a model's directory."""
    found: list[Path] = []
    for each in directory.rglob("*"):
        if "__pycache__" not in each.parts and each.is_file():
            found.append(each)
            if len(found) > MOST_FILES:
                sentence = f"{directory} holds more than {MOST_FILES} files: give the model a directory of its own."
                raise Failed("load_failed", sentence)
    return tuple(sorted(found))


def _caffe_weights(path: Path) -> tuple[Path, ...]:
    named = path.with_suffix(".caffemodel")
    if named.is_file():
        return (named,)
    found = sorted(path.parent.glob("*.caffemodel"))
    return tuple(found) if len(found) == 1 else ()


def _walk(file: IO[bytes], end: int, kind: str, found: set[str], depth: int) -> None:
    """Gather the locations in a message. Raises `IndexError` or `ValueError` when it is none."""
    if not depth:
        raise ValueError("too deep")
    texts: dict[str, bytes] = {}
    while file.tell() < end:
        number, start, stop = _field(file)
        if stop > end:
            raise ValueError("it ends within a field")
        inner = FIELDS[kind].get(number) if start else None
        if inner in FIELDS:
            _walk(file, stop, inner, found, depth - 1)
        elif inner is not None:
            texts[inner] = file.read(stop - start)
        file.seek(stop)
    if texts.get("key") == b"location":
        found.add(texts.get("value", b"").decode())


def _field(file: IO[bytes]) -> tuple[int, int, int]:
    """Number, start and end of a field; start is 0 when it has no length."""
    tag = _varint(file)
    match tag & 7:
        case 0:
            _varint(file)
            return tag >> 3, 0, file.tell()
        case 1:
            return tag >> 3, 0, file.tell() + 8
        case 5:
            return tag >> 3, 0, file.tell() + 4
        case 2:
            length = _varint(file)
            return tag >> 3, file.tell(), file.tell() + length
    raise ValueError("no field of protobuf")


def _varint(file: IO[bytes]) -> int:
    value = shift = 0
    while (byte := file.read(1)[0]) > 127:
        value |= (byte & 127) << shift
        shift += 7
        if shift > 63:
            raise ValueError("no number of protobuf")
    return value | byte << shift
