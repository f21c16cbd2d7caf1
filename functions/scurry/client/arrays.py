"""Numpy arrays to and from requests and replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from scurry.client.bodies import Parked, is_large
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import Array, datatype_of, to_array, to_bytes


def pack(
    inputs: Mapping[str, npt.ArrayLike], outputs: Sequence[str], key_of: Callable[[str], str]
) -> tuple[InferRequest, Parked]:
    """A request with these inputs; large ones are parked without having been in the message."""
    request, parked = InferRequest(outputs=outputs), Parked()
    for name, value in inputs.items():
        array = np.asarray(value)
        datatype = datatype_of(array.dtype)
        data = to_bytes(array, datatype)
        tensor = request.inputs.add(name=name, datatype=datatype, shape=array.shape)
        if is_large(data):
            tensor.payload = key_of(name)
            parked.append((tensor.payload, data))
        else:
            tensor.data = data
    return request, parked


def unpack(reply: InferReply) -> dict[str, Array]:
    """The outputs under their names."""
    return {tensor.name: to_array(tensor) for tensor in reply.outputs}
