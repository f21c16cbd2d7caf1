"""Instances become requests, replies the texts of three releases."""

from __future__ import annotations

import json

import numpy as np
import pytest

from scurry.protocols.cluster_serving_arrow import arrow
from scurry.protocols.cluster_serving_rest import FORMS, MISSING, Port, decode, ports_of
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import to_array, to_tensor

PORTS = [Port("x", "FP32", (-1, 2))]


def reply(*arrays: np.ndarray) -> InferReply:
    """A model's outputs."""
    return InferReply(outputs=[to_tensor(f"y{at}", array) for at, array in enumerate(arrays)])


def test_each_instance_is_a_request_of_one_row() -> None:
    """A wrong one fails when it is made, and alone."""
    body = json.dumps({"instances": [{"x": [1, 2]}, {"x": "no numbers"}, {"x": [3, 4]}]}).encode()
    first, second, third = decode(body, PORTS)
    assert first().added
    assert to_array(third().request.inputs[0]).tolist() == [[3, 4]]
    with pytest.raises(InvalidRequest, match="'x'"):
        second()


@pytest.mark.parametrize("body", [b"", b"[]", b'{"instance": [{}]}', b'{"instances": []}', b'{"instances": [1]}'])
def test_a_body_without_instances_is_refused(body: bytes) -> None:
    """Users wrote `instance`, and were told nothing."""
    with pytest.raises(InvalidRequest):
        decode(body, PORTS)


def test_ports_are_those_of_the_signature() -> None:
    """Sizes may be texts there."""
    assert ports_of({"inputs": [{"name": "x", "datatype": "FP32", "shape": ["-1", 2]}]}) == PORTS


def test_the_form_of_0_10_is_what_the_original_client_reads() -> None:
    """`http_json_to_ndarray` takes `value` of the text, and `data` and `shape` of that text."""
    text = FORMS["v0.10"](reply(np.array([[1.5, 2.0]], np.float32)), added=True)
    assert json.loads(json.loads(text)["value"]) == {"data": [1.5, 2.0], "shape": [2]}
    assert json.loads(MISSING["v0.10"]) == {"value": "NaN"}
    both = FORMS["v0.10"](reply(np.ones((1, 2), np.float32), np.array([[b"cat"]], object)), added=True)
    assert json.loads(json.loads(both)["value"])[1] == {"data": ["cat"], "shape": [1]}
    scalar = FORMS["v0.10"](reply(np.array([3], np.int64)), added=True)
    assert json.loads(json.loads(scalar)["value"]) == {"data": [3], "shape": [1]}


def test_the_form_of_0_9_is_nested_lists() -> None:
    """In braces that the client takes off."""
    assert FORMS["v0.9"](reply(np.array([[[1, 2], [3, 4]]], np.int32)), added=True) == "{value=[[1,2],[3,4]]}"


def test_the_form_of_the_second_front_end_is_what_redis_has() -> None:
    """Quoted, with 32-bit numbers."""
    text = FORMS["arrow"](reply(np.array([[1, 2]], np.int64)), added=True)
    import base64

    with arrow().ipc.open_stream(base64.b64decode(json.loads(text))) as stream:
        batch = stream.read_next_batch()
    assert batch.column(0).to_pylist() == [1.0, 2.0]
