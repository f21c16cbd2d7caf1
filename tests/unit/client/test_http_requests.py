"""Requests over HTTP: path, headers and body."""

from __future__ import annotations

import orjson
import pytest

from scurry.client.http_link import HttpAnswer
from scurry.client.http_requests import arrays_of, call_of, check_offered, message_of, model_path
from scurry.protocols.oip_binary import HEADER
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.infer_pb2 import InferRequest

REQUEST = InferRequest()
REQUEST.inputs.add(name="x", datatype="INT8", shape=[2], data=b"\x01\x02")


def test_a_request_is_made_once() -> None:
    """Its time-out is the whole one, so that every try has the same body."""
    call = call_of("m", "2", REQUEST, timeout=1.5, priority=3, headers={"A": "b"}, id="mine", key="k", tenant="")
    assert call.path == "/v2/models/m/versions/2/infer"
    assert call.headers == {
        "A": "b", "Content-Type": "application/octet-stream", "Idempotency-Key": "mine", "Scurry-Key": "k",
        HEADER: str(len(call.parts[0])),
    }  # fmt: skip
    assert orjson.loads(call.parts[0])["parameters"] == {
        "binary_data_output": True, "timeout": 1_500_000, "priority": 3,
    }  # fmt: skip
    assert call.parts[1:] == [b"\x01\x02"]


def test_large_tensors_lie_beside_the_message() -> None:
    """As they were."""
    request = InferRequest()
    request.inputs.add(name="x", datatype="INT8", shape=[3], payload="x")
    data = memoryview(b"abc")
    call = call_of("m", "", request, [("x", data)], timeout=1, headers={})  # type: ignore[list-item]
    assert call.parts[1] is data


def test_names_are_quoted() -> None:
    """Nobody leaves his path."""
    assert model_path("../x y") == "/v2/models/..%2Fx%20y"


def test_an_answer_is_arrays_or_a_message() -> None:
    """From JSON with tensors behind it, or JSON alone."""
    output = {"name": "y", "datatype": "INT8", "shape": [2], "parameters": {"binary_data_size": 2}}
    json = orjson.dumps({"model_name": "m", "model_version": "1", "outputs": [output]})
    answer = HttpAnswer(200, {HEADER: str(len(json))}, json + b"\x01\x02")
    assert arrays_of(answer)["y"].tolist() == [1, 2]
    assert message_of(answer).reply.outputs[0].data == b"\x01\x02"
    with pytest.raises(Failed, match="are no answer"):
        arrays_of(HttpAnswer(200, {}, b"<html>"))


def test_what_a_gateway_cannot_be_told() -> None:
    """Says where it can be."""
    check_offered(0, bulk=False)
    check_offered(None, bulk=False)
    for keep, bulk in ((5, False), (None, True)):
        with pytest.raises(InvalidRequest, match="redis:// URL") as caught:
            check_offered(keep, bulk=bulk)
        assert caught.value.code == "not_offered"


@pytest.mark.parametrize("value", ["a\r\nb", "é", "\x00"])
def test_a_header_is_printable_ascii(value: str) -> None:
    """The sentence names what it is."""
    with pytest.raises(InvalidRequest, match="id is sent as a header"):
        call_of("m", "", REQUEST, timeout=1, headers={}, id=value)
