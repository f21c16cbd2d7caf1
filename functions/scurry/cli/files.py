"""Arrays and pictures on disk, made to fit a model's inputs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from scurry.wire.errors import InvalidRequest
from scurry.wire.tensors import DTYPES, Array

Signature = dict[str, Any]


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
    """A picture in the size, layout and range of the model's one input: 0 to 1 for floats, 0 to 255 for integers."""
    name = only_input(signature)
    spec = signature["inputs"][0]
    if spec["datatype"] == "BYTES":
        return {name: np.array([_bytes(path)], dtype=object)}
    shape = [int(dim) for dim in spec["shape"]]
    channels_first, height, width, channels = layout(shape)
    pixels = _decode(path, width, height, channels)
    if channels and channels_first:
        pixels = np.moveaxis(pixels, -1, 0)
    dtype = DTYPES[spec["datatype"]]
    scaled = pixels.astype(dtype) / 255 if dtype.kind == "f" else pixels.astype(dtype)
    batch = [] if len(shape) < 3 + bool(channels) else [1]
    return {name: scaled.astype(dtype).reshape(*batch, *pixels.shape)}


def layout(shape: list[int]) -> tuple[bool, int, int, int]:
    """Whether channels come first, height, width and channels (0: no such dimension) of an input of this shape."""
    inner = shape[1:] if len(shape) == 4 or (len(shape) == 3 and shape[0] in (-1, 1)) else shape
    if len(inner) == 3 and inner[0] in (1, 3):
        return True, _side(inner[1]), _side(inner[2]), inner[0]
    if len(inner) == 3 and inner[2] in (1, 3):
        return False, _side(inner[0]), _side(inner[1]), inner[2]
    if len(inner) == 2:
        return False, _side(inner[0]), _side(inner[1]), 0
    raise InvalidRequest("input_shape", f"An input of shape {shape} does not look like a picture; use --npy.")


def _side(dim: int) -> int:
    return dim if dim > 0 else 224


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as exc:
        raise InvalidRequest("bad_request", f"{path} cannot be read: {exc.strerror}.") from None


def _decode(path: Path, width: int, height: int, channels: int) -> Array:
    """Pixels as height × width (× channels)."""
    try:
        from PIL import Image, UnidentifiedImageError  # type: ignore[import-not-found]  # noqa: PLC0415
    except ImportError:
        raise InvalidRequest("not_allowed", "Pictures need the package pillow: pip install pillow.") from None
    try:
        image = Image.open(io.BytesIO(_bytes(path)))
    except UnidentifiedImageError:
        raise InvalidRequest("bad_request", f"{path} is not a picture that pillow can read.") from None
    pixels = np.asarray(image.convert("RGB" if channels == 3 else "L").resize((width, height)))
    return pixels[..., np.newaxis] if channels == 1 else pixels
