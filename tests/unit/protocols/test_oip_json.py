"""Open Inference Protocol JSON: every datatype there and back, every mistake named."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import orjson
import pytest

from scurry.protocols import oip_json
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import DTYPES, to_array, to_tensor

LIMITS: list[tuple[str, list[Any]]] = [
    ("BOOL", [True, False]),
    ("UINT8", [0, 255]),
    ("UINT16", [0, 65535]),
    ("UINT32", [0, 2**32 - 1]),
    ("UINT64", [0, 2**64 - 1]),
    ("INT8", [-128, 127]),
    ("INT16", [-32768, 32767]),
    ("INT32", [-(2**31), 2**31 - 1]),
    ("INT64", [-(2**63), 2**63 - 1]),
    ("FP16", [0.5, -65504.0]),
    ("BF16", [0.5, -3.3895313892515355e38]),
    ("FP32", [0.25, 3.0e38]),
    ("FP64", [0.1, -1.7e308]),
    ("BYTES", ["grün", ""]),
]


def body(**changes: Any) -> bytes:
    """A good request with one FP32 tensor, changed."""
    tensor = {"name": "x", "shape": [2], "datatype": "FP32", "data": [1, 2]} | changes
    return orjson.dumps({"inputs": [tensor]})


def test_the_table_of_limits_has_every_datatype() -> None:
    """No datatype is left out below."""
    assert {datatype for datatype, _ in LIMITS} == {*DTYPES, "BYTES"}


@pytest.mark.parametrize(("datatype", "data"), LIMITS)
def test_a_datatype_comes_through_as_it_is(datatype: str, data: list[Any]) -> None:
    """The outermost values of each datatype reach the array unchanged."""
    request = oip_json.decode_request(body(datatype=datatype, data=data))
    got = to_array(request.inputs[0]).tolist()
    if datatype == "BYTES":
        got = [item.decode() for item in got]
    assert got == np.array(data, DTYPES.get(datatype, object)).tolist()


@pytest.mark.parametrize(("datatype", "data"), LIMITS)
def test_a_reply_can_be_sent_back_as_a_request(datatype: str, data: list[Any]) -> None:
    """Outputs in JSON decode to the tensors they were made of."""
    reply = InferReply()
    reply.outputs.append(to_tensor("y", np.array(data, DTYPES.get(datatype, object))))
    document = orjson.loads(oip_json.encode_reply(reply, model="m", version="3", id="mine"))
    assert (document["model_name"], document["model_version"], document["id"]) == ("m", "3", "mine")
    again = oip_json.request_of({"inputs": document["outputs"]})
    assert again.inputs[0] == reply.outputs[0]


@pytest.mark.parametrize("data", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]])
def test_data_may_be_flat_or_nested(data: list[Any]) -> None:
    """Both forms give the same row-major bytes."""
    request = oip_json.decode_request(body(shape=[2, 3], data=data))
    assert to_array(request.inputs[0]).tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize("data", [[], [[], []]])
@pytest.mark.parametrize("datatype", ["FP32", "INT64", "BOOL", "BYTES"])
def test_a_tensor_may_be_empty(datatype: str, data: list[Any]) -> None:
    """Shape [2, 0] has no element."""
    request = oip_json.decode_request(body(shape=[2, 0], datatype=datatype, data=data))
    assert request.inputs[0].data == b""


def test_a_scalar_has_an_empty_shape() -> None:
    """One element fills shape []."""
    request = oip_json.decode_request(body(shape=[], data=[7]))
    assert to_array(request.inputs[0]).item() == 7


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_what_is_not_finite_has_a_name_in_both_directions(kind: type) -> None:
    """JSON has no NaN and no infinity; numpy, with which Triton's clients read, takes these names for them."""
    array = np.array([np.nan, 1.5, np.inf, -np.inf, -2.0], kind)
    reply = InferReply(outputs=[to_tensor("y", array)])
    (output,) = orjson.loads(oip_json.encode_reply(reply, model="m", version="1"))["outputs"]
    assert output["data"] == ["NaN", 1.5, "Infinity", "-Infinity", -2.0]
    np.testing.assert_array_equal(np.array(output["data"], kind), array)
    request = oip_json.decode_request(body(datatype=output["datatype"], shape=[5], data=output["data"]))
    np.testing.assert_array_equal(to_array(request.inputs[0]), array)


def test_null_comes_in_as_nan() -> None:
    """As some write it."""
    request = oip_json.decode_request(body(data=[None, "Infinity"]))
    assert [str(one) for one in to_array(request.inputs[0])] == ["nan", "inf"]


@pytest.mark.parametrize(
    ("datatype", "data"),
    [("FP32", ["nan", 1]), ("FP32", ["1", 1]), ("INT32", ["NaN", 1]), ("FP32", ["NaN", 1e39]), ("FP32", ["NaN", True])],
)
def test_no_other_text_is_a_number(datatype: str, data: list[object]) -> None:
    """Nor is a whole number ever infinite, nor a finite one that the type cannot hold."""
    with pytest.raises(InvalidRequest, match=f"no {datatype}"):
        oip_json.decode_request(body(datatype=datatype, data=data))


def test_whole_numbers_may_be_written_as_floats() -> None:
    """1.0 is an INT32, and 1 and 0.0 are BOOLs."""
    assert to_array(oip_json.decode_request(body(datatype="INT32", data=[1.0, 2])).inputs[0]).tolist() == [1, 2]
    assert to_array(oip_json.decode_request(body(datatype="BOOL", data=[1, 0.0])).inputs[0]).tolist() == [True, False]


def test_outputs_and_parameters_are_kept() -> None:
    """Names of outputs keep their order; parameters keep their types."""
    document = orjson.loads(body()) | {
        "outputs": [{"name": "b"}, {"name": "a", "parameters": {"binary_data": True}}],
        "parameters": {"t": True, "i": -3, "d": 0.5, "s": "é"},
    }
    request = oip_json.decode_request(orjson.dumps(document))
    assert list(request.outputs) == ["b", "a"]
    kept = {key: getattr(value, value.WhichOneof("value") or "") for key, value in request.parameters.items()}
    assert kept == {"t": True, "i": -3, "d": 0.5, "s": "é"}


def test_parameters_of_a_reply_are_told() -> None:
    """What the runtime wants the caller to know is in the JSON."""
    reply = InferReply()
    reply.parameters["hits"].int_value = 4
    reply.parameters["nothing"].SetInParent()
    document = orjson.loads(oip_json.encode_reply(reply, model="m", version="1"))
    assert document["parameters"] == {"hits": 4, "nothing": None}
    assert document["outputs"] == []
    assert "id" not in document


WRONG: list[tuple[bytes, str, str]] = [
    (b"{", "bad_request", "not JSON"),
    (b"[1]", "bad_request", "JSON object"),
    (b"{}", "bad_request", "`inputs`"),
    (b'{"inputs": {}}', "bad_request", "`inputs` must be a list of objects"),
    (b'{"inputs": [3]}', "bad_request", "`inputs` must be a list of objects"),
    (b'{"inputs": [{}]}', "bad_request", "`inputs[0].name`"),
    (b'{"inputs": [{"name": 3}]}', "bad_request", "`inputs[0].name`"),
    (body(datatype=None), "input_datatype", "'x' has datatype None"),
    (body(datatype="FP8"), "input_datatype", "known are BOOL"),
    (body(datatype=["FP32"]), "input_datatype", "'x'"),
    (body(shape=None), "input_shape", "`shape`"),
    (body(shape=[-1]), "input_shape", "`shape`"),
    (body(shape=[2.0]), "input_shape", "`shape`"),
    (body(shape=[True, 2]), "input_shape", "`shape`"),
    (body(shape=[3]), "input_shape", "says [3]"),
    (body(shape=[2**62, 2**62]), "input_shape", "'x'"),
    (body(shape=[2, 1], data=[[1, 2]]), "input_shape", "[1, 2]"),
    (body(data=[[1], [2, 3]]), "input_shape", "different length"),
    (body(values=[1, 2]), "bad_request", "`inputs[0]` has 'values', which is not known; known are name, datatype"),
    (orjson.dumps(orjson.loads(body()) | {"outputs": [{"name": "y", "k": 3}]}), "bad_request", "`outputs[0]` has 'k'"),
    (body(data=[[1], 2]), "input_shape", "beside"),
    (body(data=None), "bad_request", "list `data`"),
    (body(data="1 2"), "bad_request", "list `data`"),
    (body(data=[1, "2"]), "input_datatype", "no FP32"),
    (body(data=[True, 2]), "input_datatype", "no FP32"),
    (body(data=[1, {}]), "input_datatype", "no FP32"),
    (body(data=[1, 1e39]), "input_datatype", "no FP32"),
    (body(datatype="FP16", data=[1, 70000]), "input_datatype", "no FP16"),
    (body(datatype="INT8", data=[1, 128]), "input_datatype", "no INT8"),
    (body(datatype="UINT8", data=[1, -1]), "input_datatype", "no UINT8"),
    (body(datatype="INT64", data=[1, 2**63]), "input_datatype", "no INT64"),
    (body(datatype="INT32", data=[1, 1.5]), "input_datatype", "no INT32"),
    (body(datatype="INT32", data=[1, None]), "input_datatype", "no INT32"),
    (body(datatype="INT32", data=[1, True]), "input_datatype", "no INT32"),
    (body(datatype="BOOL", data=[1, 2]), "input_datatype", "no BOOL"),
    (body(datatype="BYTES", data=["a", 1]), "input_datatype", "no BYTES"),
    (orjson.dumps({"inputs": orjson.loads(body())["inputs"] * 2}), "bad_request", "'x' twice"),
    (orjson.dumps(orjson.loads(body()) | {"outputs": [{"name": ""}]}), "bad_request", "`outputs[0].name`"),
    (orjson.dumps(orjson.loads(body()) | {"outputs": "y"}), "bad_request", "`outputs`"),
    (orjson.dumps(orjson.loads(body()) | {"parameters": []}), "bad_request", "`parameters`"),
    (orjson.dumps(orjson.loads(body()) | {"parameters": {"k": [1]}}), "bad_request", "'k'"),
    (orjson.dumps(orjson.loads(body()) | {"parameters": {"k": 2**63}}), "bad_request", "'k'"),
]


@pytest.mark.parametrize(("wrong", "code", "names"), WRONG)
def test_a_mistake_has_a_code_and_a_sentence_that_names_it(wrong: bytes, code: str, names: str) -> None:
    """Nobody has to guess which field was meant."""
    with pytest.raises(InvalidRequest) as caught:
        oip_json.decode_request(wrong)
    assert caught.value.code == code
    assert names in caught.value.message


def test_a_mistake_is_told_briefly_however_long_it_is() -> None:
    """A megabyte of nonsense does not come back in the sentence."""
    with pytest.raises(InvalidRequest) as caught:
        oip_json.decode_request(body(shape=["x" * 1_000_000] * 3))
    assert len(caught.value.message) < 300


def test_texts_that_are_not_utf8_need_a_binary_reply() -> None:
    """JSON cannot hold arbitrary bytes."""
    reply = InferReply(outputs=[to_tensor("y", np.array([b"\xff"], object))])
    with pytest.raises(InvalidRequest, match="'y' is not UTF-8"):
        oip_json.encode_reply(reply, model="m", version="1")


@pytest.mark.parametrize(
    "piece", [b"[]", b"{}", b'{"a":1}', b'""', b'"ab"', b"0.5", b"1e5", b"7", b"1234567", b"[[1]]", b"null"]
)
def test_what_parsing_takes_is_never_more_than_was_told(piece: bytes) -> None:
    """Whatever the body is full of: the room for it is there before it is parsed."""
    body = b'{"inputs":[' + b",".join([piece] * 50_000) + b"]}"
    tracemalloc.start()
    try:
        document = oip_json.load(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(document["inputs"]) == 50_000
    assert peak - len(body) <= oip_json.parsing_bytes(body, len(body)) + 1000


def test_a_number_too_large_for_bf16_is_refused() -> None:
    """As for the other floats; NaN and infinity have their names."""
    with pytest.raises(InvalidRequest, match="no BF16"):
        oip_json.decode_request(body(datatype="BF16", data=[1e39, 0]))
    request = oip_json.decode_request(body(datatype="BF16", data=["NaN", "-Infinity"]))
    assert [str(one) for one in to_array(request.inputs[0]).tolist()] == ["nan", "-inf"]


def test_a_field_that_is_not_known_is_named() -> None:
    """What some clients repeat of the path is let pass."""
    tensor = {"name": "x", "datatype": "INT8", "shape": [1], "data": [1]}
    with pytest.raises(InvalidRequest, match="'input' is not known; known are id, inputs"):
        oip_json.decode_request(orjson.dumps({"inputs": [tensor], "input": []}))
    repeated = {"inputs": [tensor], "model_name": "m", "model_version": "1"}
    assert oip_json.decode_request(orjson.dumps(repeated)).inputs[0].name == "x"
