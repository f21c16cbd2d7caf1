"""Typed contents of the gRPC protocol: a list for each kind of element."""

from __future__ import annotations

from typing import Final

import numpy as np

from scurry.protocols.oip_pb2 import InferTensorContents
from scurry.protocols.oip_tensors import brief
from scurry.wire.errors import InvalidRequest
from scurry.wire.tensors import DTYPES

LISTS: Final = {
    "BOOL": "bool_contents",
    "INT8": "int_contents", "INT16": "int_contents", "INT32": "int_contents", "INT64": "int64_contents",
    "UINT8": "uint_contents", "UINT16": "uint_contents", "UINT32": "uint_contents", "UINT64": "uint64_contents",
    "FP32": "fp32_contents", "FP64": "fp64_contents",
    "BYTES": "bytes_contents",
}  # fmt: skip
"""In which list the elements of a data type are. FP16 and BF16 have none: they come raw."""


def content_of(name: str, datatype: str, contents: InferTensorContents) -> bytes:
    """The bytes of typed contents. Raises `InvalidRequest` for another list, or numbers that the type cannot hold."""
    filled = [each.name for each, _ in contents.ListFields()]
    wanted = LISTS.get(datatype)
    if wanted is None and filled:
        sentence = f"Tensor {brief(name)} is {datatype}: its elements go into `raw_input_contents`."
        raise InvalidRequest("input_datatype", sentence)
    if wanted is None or not filled:
        return b""  # an empty tensor, or one whose shape will say that it is none
    if filled != [wanted]:
        sentence = f"Tensor {brief(name)} is {datatype}: its elements go into `{wanted}`, not `{filled[0]}`."
        raise InvalidRequest("input_datatype", sentence)
    elements = getattr(contents, wanted)
    if datatype == "BYTES":
        return b"".join([len(raw).to_bytes(4, "little") + raw for raw in elements])
    dtype = DTYPES[datatype]
    if dtype.kind in "iu" and dtype.itemsize < 4:
        info = np.iinfo(dtype)
        if min(elements) < info.min or max(elements) > info.max:
            raise InvalidRequest("input_datatype", f"Tensor {brief(name)} has an element that is no {datatype}.")
    return np.fromiter(elements, dtype, len(elements)).tobytes()
