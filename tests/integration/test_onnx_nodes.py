"""The ONNX project's own cases for single operators: answered as onnxruntime answers them, over JSON."""

from __future__ import annotations

import ctypes
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from scurry.protocols import oip_json
from scurry.protocols.oip_tensors import jsonable
from scurry.runtimes.catalog import Opener
from scurry.runtimes.runtime import Runtime
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.messages_pb2 import ModelSpec
from scurry.wire.tensors import DTYPES, Array, datatype_of, is_float, to_array, to_tensor

LEAST = 1500
"""So many were answered when this was written (1,603), and somewhat less: another onnx has other cases."""


def cases() -> Iterator[tuple[str, onnx.ModelProto, list[Any]]]:
    """Name, model and inputs of each."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    for case in found:
        yield case.name, case.model, [as_array(one) for one in case.data_sets[0][0]]


def as_array(one: object) -> Any:
    """An input as numpy has it: the cases hold scalars and ONNX's own tensors as well."""
    if isinstance(one, onnx.TensorProto):
        return onnx.numpy_helper.to_array(one)
    return np.asarray(one) if np.isscalar(one) else one


def by_itself(file: Path, model: onnx.ModelProto, given: list[Any]) -> dict[str, Array] | None:
    """What onnxruntime gives; None for what it cannot run, for other types, and for sequences, which are no tensors."""
    if not all(map(is_known_type, (*model.graph.input, *model.graph.output))):
        return None
    try:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
        feed = {port.name: one for port, one in zip(model.graph.input, given, strict=False)}
        outputs = with_bf16(session, feed) if is_bf16(model) else session.run(None, feed)
    except Exception:
        return None
    if not all(map(is_known, [*given, *outputs])):
        return None
    return {port.name: one for port, one in zip(session.get_outputs(), outputs, strict=True)}


def is_bf16(model: onnx.ModelProto) -> bool:
    """Whether it takes or gives BF16, for which onnxruntime has no arrays."""
    ports = (*model.graph.input, *model.graph.output)
    return any(port.type.tensor_type.elem_type == onnx.TensorProto.BFLOAT16 for port in ports)


def with_bf16(session: onnxruntime.InferenceSession, feed: dict[str, Array]) -> list[Array]:
    """What it gives: BF16 goes in and out as raw memory."""
    value = onnxruntime.OrtValue
    given = {
        name: value.ortvalue_from_numpy_with_onnx_type(one.view(np.uint16), onnx.TensorProto.BFLOAT16)
        if one.dtype == DTYPES["BF16"]
        else value.ortvalue_from_numpy(one)
        for name, one in feed.items()
    }
    return [from_value(one) for one in session.run_with_ort_values(None, given)]


def from_value(one: onnxruntime.OrtValue) -> Array:
    """The array in a value of onnxruntime's."""
    if one.element_type() != onnx.TensorProto.BFLOAT16:
        array: Array = one.numpy()
        return array
    raw = (ctypes.c_uint16 * int(np.prod(one.shape()))).from_address(one.data_ptr())
    return np.array(raw, np.uint16).view(DTYPES["BF16"]).reshape(one.shape())


def is_known_type(port: onnx.ValueInfoProto) -> bool:
    """Whether the protocol has its type; onnxruntime gives numbers of 8 bits and fewer as bytes."""
    kind = port.type.tensor_type.elem_type  # 0: no tensor, which shows in what comes
    return kind in {0, onnx.TensorProto.STRING} or onnx.helper.tensor_dtype_to_np_dtype(kind) in DTYPES.values()


def is_known(one: object) -> bool:
    """Whether it is a tensor of a type of the protocol's."""
    return isinstance(one, np.ndarray) and (one.dtype.kind in "OUS" or one.dtype in DTYPES.values())


def over_json(runtime: Runtime, given: dict[str, Array]) -> dict[str, Array]:
    """What a caller reads who sends these arrays as JSON."""
    inputs = [
        {"name": name, "datatype": datatype_of(one.dtype), "shape": list(one.shape), "data": listed(one)}
        for name, one in given.items()
    ]
    request = oip_json.decode_request(oip_json.dump({"inputs": inputs}))
    read = {tensor.name: to_array(tensor) for tensor in request.inputs}
    outputs = runtime.run([read[port.name] for port in runtime.inputs])
    named = zip(runtime.outputs, outputs, strict=True)
    reply = InferReply(outputs=[to_tensor(port.name, np.asarray(one)) for port, one in named])
    document = oip_json.load(oip_json.encode_reply(reply, model="m", version="1"))
    return {one["name"]: read_back(one).reshape(one["shape"]) for one in document["outputs"]}


def read_back(output: dict[str, Any]) -> Array:
    """The elements of an output: of numbers those that are not finite are texts."""
    dtype = DTYPES.get(output["datatype"])
    if dtype is None:
        return np.array(output["data"], object)
    return np.array([float(one) for one in output["data"]] if is_float(dtype) else output["data"], dtype)


def listed(array: Array) -> Any:
    """Elements in row-major order as JSON can hold them."""
    flat = array.reshape(-1)
    return [str(one) for one in flat.tolist()] if array.dtype.kind in "OUS" else jsonable(np.ascontiguousarray(flat))


def same(ours: Array, theirs: Array) -> bool:
    """To the last bit; NaN is NaN, and text is text."""
    if theirs.dtype.kind in "OUS":
        return ours.tolist() == theirs.tolist()
    if theirs.dtype == DTYPES["BF16"]:
        ours, theirs = ours.astype(np.float32), theirs.astype(np.float32)
    return np.array_equal(ours, theirs, equal_nan=theirs.dtype.kind == "f")


@pytest.mark.filterwarnings("ignore")
def test_every_operator_is_answered_as_onnxruntime_answers_it(tmp_path: Path) -> None:
    """Those that it runs and whose types the protocol knows: none is refused, none fails, none differs."""
    onnxruntime.set_default_logger_severity(4)
    opener, file, seen = Opener(1), tmp_path / "model.onnx", Counter[str]()
    wrong: list[str] = []
    for name, model, given in cases():
        onnx.save(model, file)
        theirs = by_itself(file, model, given)
        if theirs is None:
            seen["left out"] += 1
            continue
        try:
            runtime = opener.open(opener.find("m", "1", ModelSpec(uri=str(file), runtime="onnx")), "")
            ours = over_json(runtime, {port.name: one for port, one in zip(model.graph.input, given, strict=False)})
        except Exception as failure:
            wrong.append(f"{name}: {failure!r}")
            continue
        seen["answered"] += 1
        wrong += [f"{name}: {port}" for port, one in theirs.items() if not same(ours[port], one)]
    assert wrong == []
    assert seen["answered"] >= LEAST, seen
