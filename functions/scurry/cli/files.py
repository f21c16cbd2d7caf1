"""Arrays and pictures on disk, made to fit a model's inputs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from scurry.protocols.oip_tensors import jsonable
from scurry.transforms.images import to_tensor
from scurry.wire.errors import InvalidRequest
from scurry.wire.tensors import DTYPES, Array

Signature = dict[str, Any]


def listed(array: Array) -> Any:  # noqa: ANN401 - as deep as the array
    """An array as lists that JSON can hold."""
    array = texts(array)
    flat = jsonable(array.reshape(-1))
    if not isinstance(flat, list):
        return array.tolist()
    named = np.empty(array.size, object)
    named[:] = flat
    return named.reshape(array.shape).tolist()


def texts(array: Array) -> Array:
    """BYTES as the texts they mostly are; a byte that is none is shown by its number."""
    if array.dtype.kind != "O":
        return array
    read = np.empty(array.size, object)
    read[:] = [each.decode(errors="backslashreplace") if isinstance(each, bytes) else each for each in array.ravel()]
    return read.reshape(array.shape)


def described(array: Array) -> str:
    """An array as people read it: type, shape, and below them its elements."""
    kind = "texts" if array.dtype.kind == "O" else array.dtype
    return f"{kind} {list(array.shape)}\n{texts(array)}"


def arrays(path: Path, signature: Signature) -> dict[str, Array]:
    """The inputs in a .npy or .npz file, in the types the model takes."""
    try:
        loaded = np.load(io.BytesIO(path.read_bytes()), allow_pickle=False)
    except OSError as exc:
        raise InvalidRequest("bad_request", f"{path} cannot be read: {exc.strerror or exc}.") from None
    except ValueError as exc:
        raise InvalidRequest("bad_request", f"{path} is not a .npy or .npz file: {exc}.") from None
    named = dict(loaded.items()) if isinstance(loaded, np.lib.npyio.NpzFile) else {only_input(signature): loaded}
    specs = {spec["name"]: spec for spec in signature.get("inputs", ())}
    return {name: fit(array, specs[name]) if name in specs else array for name, array in named.items()}


def only_input(signature: Signature) -> str:
    """The name of the model's one input."""
    names = [spec["name"] for spec in signature.get("inputs", ())]
    if len(names) != 1:
        raise InvalidRequest(
            "input_name", f"The model has the inputs {', '.join(names)}: give an .npz with these names."
        )
    return str(names[0])


def fit(array: Array, spec: dict[str, Any]) -> Array:
    """The array in the input's type, with a batch dimension when just that is missing."""
    shape = [int(dim) for dim in spec.get("shape", ())]
    dtype = DTYPES.get(spec.get("datatype", ""))
    if dtype is not None and np.can_cast(array.dtype, dtype, "same_kind"):
        array = array.astype(dtype)
    return array[np.newaxis] if array.ndim + 1 == len(shape) and shape[0] in (-1, 1) else array


def picture(path: Path, signature: Signature) -> dict[str, Array]:
    """A picture as the model's one input takes it."""
    return prepared(path, read_picture(path), signature)


def read_picture(path: Path) -> bytes:
    """The bytes of a file. Raises `InvalidRequest`."""
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InvalidRequest("bad_request", f"{path} cannot be read: {exc.strerror}.") from None


def prepared(path: Path, encoded: bytes, signature: Signature) -> dict[str, Array]:
    """An encoded picture as the model's one input takes it."""
    name, spec = only_input(signature), signature["inputs"][0]
    try:
        return {name: to_tensor(encoded, spec["datatype"], [int(size) for size in spec["shape"]])}
    except InvalidRequest as failure:
        raise InvalidRequest(failure.code, f"{path}: {failure.message}") from None
