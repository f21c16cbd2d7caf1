"""What the load generator sends."""

from __future__ import annotations

import json

import hiredis
import pytest

from scurry.bench.requests import (
    ID_BYTES,
    Input,
    grpc_message,
    http_request,
    inputs_of,
    prepare,
    subject,
    zipf_choices,
)
from scurry.protocols.oip_grpc import decode
from scurry.protocols.oip_json import decode_request
from scurry.wire.errors import NotFound
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.names import Keys
from scurry.wire.tensors import to_array

SMALL = Input("x", "FP32", (-1, 16))
LARGE = Input("image", "FP32", (-1, 3, 64, 64))
ID = b"0" * ID_BYTES


def sent(command: list[bytes]) -> list[bytes]:
    """The words of a command once an id is put in, as Redis reads them."""
    reader = hiredis.Reader()
    reader.feed(ID.join(command))
    words: list[bytes] = reader.gets()
    return words


@pytest.mark.parametrize(
    ("shape", "rows", "size", "expected"),
    [
        ((-1, 16), 1, 0, (1, 16)),
        ((-1, 16), 8, 0, (8, 16)),
        ((4,), 8, 0, (4,)),
        ((-1, -1), 1, 4096, (1, 1024)),
        ((-1, -1, 2), 3, 64, (3, 8, 2)),
        ((-1, -1), 1, 0, (1, 1)),
    ],
)
def test_free_dimensions_are_filled(shape: tuple[int, ...], rows: int, size: int, expected: tuple[int, ...]) -> None:
    """A free first dimension holds the rows, the last other free one what the size asks for."""
    assert Input("x", "FP32", shape).filled(rows, size) == expected


def test_small_request_is_one_entry() -> None:
    """A small tensor travels in the entry, which asks for no kept result."""
    request = prepare(subject("m", "2", [SMALL]), Keys(), "scurry:replies:b")
    words = sent(request.entry)
    fields = dict(zip(words[3::2], words[4::2], strict=True))
    assert words[:3] == [b"XADD", b"scurry:requests", b"*"]
    assert (fields[b"model"], fields[b"version"], fields[b"id"], fields[b"keep"]) == (b"m", b"2", ID, b"0")
    (tensor,) = InferRequest.FromString(fields[b"request"]).inputs
    assert to_array(tensor).shape == (1, 16)


def test_large_tensor_is_parked_under_the_request() -> None:
    """A tensor above the claim-check threshold lies under a key with the request's id, and the entry names it."""
    request = prepare(subject("m", "", [LARGE]), Keys(), "r")
    key = b"scurry:payload:%b:in:image" % ID
    ((pieces, data),) = request.parked
    assert (ID.join(pieces), len(data)) == (key, 3 * 64 * 64 * 4)
    (tensor,) = InferRequest.FromString(sent(request.entry)[-1]).inputs
    assert (tensor.payload.encode(), tensor.data) == (key, b"")


def test_partition_follows_the_model() -> None:
    """With partitions a request goes to its model's own stream."""
    request = prepare(subject("m", "", [SMALL]), Keys(), "r", partitions=4)
    assert sent(request.entry)[1].decode() == Keys().requests("m", 4)


def test_a_grpc_message_has_its_tensors_raw() -> None:
    """As the gateway reads them."""
    one = subject("m", "2", [SMALL], rows=3)
    infer = decode(grpc_message(one))
    assert (infer.model, infer.version, list(infer.request.inputs[0].shape)) == ("m", "2", [3, 16])
    assert [bytes(content) for content in infer.contents] == [data for *_, data in one.tensors]


def test_http_request_is_whole() -> None:
    """The HTTP request says the length of its JSON and of its body, and the tensor follows the JSON."""
    head, _, body = http_request(subject("m", "1", [SMALL]), "host:1").partition(b"\r\n\r\n")
    assert b"Authorization" not in head
    keyed = http_request(subject("m", "1", [SMALL]), "host:1", api_key="k")
    assert keyed.replace(b"Authorization: Bearer k\r\n", b"") == head + b"\r\n\r\n" + body
    assert b"\r\nAuthorization: Bearer k\r\n" in keyed
    headers = dict(line.split(b": ") for line in head.split(b"\r\n")[1:])
    json_length = int(headers[b"Inference-Header-Content-Length"])
    assert head.startswith(b"POST /v2/models/m/versions/1/infer HTTP/1.1")
    assert int(headers[b"Content-Length"]) == len(body)
    assert json.loads(body[:json_length])["inputs"][0]["parameters"]["binary_data_size"] == len(body) - json_length


def test_http_request_with_lists_is_json_alone() -> None:
    """The same numbers as in binary, no header that says where tensors begin, and the answer in JSON too."""
    one = subject("m", "", [SMALL])
    head, _, body = http_request(one, "host:1", lists=True).partition(b"\r\n\r\n")
    assert b"Inference-Header-Content-Length" not in head
    assert f"\r\nContent-Length: {len(body)}".encode() in head
    request = decode_request(body)
    assert request.inputs[0].data == one.tensors[0][3]
    assert not request.parameters


def test_inputs_of_a_record() -> None:
    """The newest ready version tells the inputs, or the version asked for."""
    tensors = [{"name": "x", "datatype": "FP32", "shape": [-1, 16]}]
    versions = [
        {"version": "1", "state": "ready", "signature": {"inputs": tensors}},
        {"version": "2", "state": "loading"},
    ]
    assert inputs_of({"versions": versions}, "") == inputs_of({"versions": versions}, "1") == [SMALL]
    with pytest.raises(NotFound, match="no version '2' that is ready"):
        inputs_of({"versions": versions}, "2")


def test_zipf_prefers_the_first() -> None:
    """Model k is asked in proportion to 1/(k+1)^s; exponent 0 asks all alike."""
    skewed, even = zipf_choices(10, 1.1, 20_000), zipf_choices(10, 0.0, 20_000)
    assert skewed.count(0) / skewed.count(1) == pytest.approx(2**1.1, rel=0.1)
    assert even.count(0) / even.count(9) == pytest.approx(1, rel=0.15)
