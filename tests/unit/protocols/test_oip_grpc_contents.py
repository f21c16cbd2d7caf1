"""Typed contents of the gRPC protocol."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.protocols.oip_grpc_contents import LISTS, content_of
from scurry.protocols.oip_pb2 import InferTensorContents
from scurry.wire.errors import InvalidRequest
from scurry.wire.tensors import DTYPES


@pytest.mark.parametrize(("datatype", "name"), LISTS.items())
def test_each_type_has_its_list(datatype, name):
    """Its elements come out as their bytes."""
    elements = [b"ab", b"", b"\xff"] if datatype == "BYTES" else [1, 0, 1]
    data = content_of("x", datatype, InferTensorContents(**{name: elements}))
    if datatype == "BYTES":
        assert data == b"\x02\0\0\0ab\0\0\0\0\x01\0\0\0\xff"
    else:
        assert np.frombuffer(data, DTYPES[datatype]).tolist() == elements


@pytest.mark.parametrize(
    ("datatype", "contents"),
    [("INT8", {"int_contents": [128]}), ("INT16", {"int_contents": [-40000]}), ("UINT8", {"uint_contents": [256]}),
     ("FP32", {"int_contents": [1]}), ("INT64", {"int_contents": [1]}), ("FP16", {"fp32_contents": [1.0]}),
     ("BF16", {"fp32_contents": [1.0]}), ("INT8", {"int_contents": [1], "fp32_contents": [1.0]})],
)  # fmt: skip
def test_what_the_type_cannot_hold_is_refused(datatype, contents):
    """And what is in another list."""
    with pytest.raises(InvalidRequest) as refused:
        content_of("x", datatype, InferTensorContents(**contents))
    assert refused.value.code == "input_datatype"
    assert "'x'" in refused.value.message


def test_no_elements_are_no_bytes():
    """An empty tensor, of any type."""
    assert content_of("x", "FP16", InferTensorContents()) == b""
    assert content_of("x", "INT64", InferTensorContents()) == b""
