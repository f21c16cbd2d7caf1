"""Both codecs against bodies nobody would think of: a `ScurryError` or a request, never anything else."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.protocols import oip_binary, oip_json
from scurry.protocols.oip_binary import BinaryOutputs
from scurry.wire.errors import InvalidRequest, ScurryError
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.limits import DIMENSIONS, OUTPUTS
from scurry.wire.tensors import DTYPES, is_float, to_tensor

DATATYPES = [*DTYPES, "BYTES"]
SCALARS = (
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
    | st.sampled_from([2**63, -(2**63), 1e308, -0.0, 65504.1, 10**30])
)  # fmt: skip
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner))
SHAPES = st.lists(st.integers(-1, 4) | st.sampled_from([2**31, 2**62, 2**63, True, 1.0, None]), max_size=4)
PARAMETERS = st.dictionaries(
    st.sampled_from(["binary_data_size", "binary_data", "binary_data_output", "classification", "x"]), SCALARS
)
TENSORS = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from(["x", "y", ""]) | JSON,
        "datatype": st.sampled_from(DATATYPES) | JSON,
        "shape": SHAPES | JSON,
        "data": JSON,
        "parameters": PARAMETERS | JSON,
    },
)
DOCUMENTS = st.fixed_dictionaries(
    {"inputs": st.lists(TENSORS, max_size=3) | JSON},
    optional={"outputs": st.lists(TENSORS, max_size=3) | JSON, "parameters": PARAMETERS | JSON, "id": JSON},
)


def dumped(document: Any) -> bytes:
    """As JSON, whatever it holds; numbers beyond 64 bits included."""
    import json

    return json.dumps(document, allow_nan=True).encode(errors="surrogatepass")


def understood(body: bytes, header: str | None) -> None:
    """Either codec takes it or refuses it with a code."""
    for decode in (lambda: oip_json.decode_request(body), lambda: oip_binary.decode_call(body, header)):
        try:
            decode()
        except ScurryError as refused:
            assert refused.code
            assert len(refused.message) < 2000


@settings(max_examples=200, deadline=None)
@given(DOCUMENTS, st.binary(max_size=40), st.integers(-3, 3) | st.none())
def test_documents_of_any_kind(document: Any, tail: bytes, off: int | None) -> None:
    """Right in form, wrong in everything else."""
    head = dumped(document)
    understood(head + tail, None if off is None else str(len(head) + off))


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200), st.none() | st.text(max_size=20) | st.integers().map(str))
def test_bytes_of_any_kind(body: bytes, header: str | None) -> None:
    """Nothing of it need be JSON."""
    understood(body, header)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(list(DTYPES)), st.lists(SCALARS, max_size=6))
def test_what_is_taken_is_what_was_meant(datatype: str, data: list[Any]) -> None:
    """An element is held exactly (integers) or to the type's precision (floats), or refused."""
    body = dumped({"inputs": [{"name": "x", "datatype": datatype, "shape": [len(data)], "data": data}]})
    try:
        request = oip_json.decode_request(body)
    except ScurryError:
        return
    got = np.frombuffer(request.inputs[0].data, DTYPES[datatype]).tolist()
    for meant, held in zip(data, got, strict=True):
        if is_float(DTYPES[datatype]):
            wanted = np.array(np.nan if meant is None else float(meant), DTYPES[datatype])
            again = np.array(held, DTYPES[datatype])
            assert np.array_equal(wanted.astype(float), again.astype(float), equal_nan=True)
        else:
            assert held == meant


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(DATATYPES), st.integers(0, 3)), max_size=4), st.booleans())
def test_replies_are_written_whole(outputs: list[tuple[str, int]], binary: bool) -> None:
    """Every datatype and size, in JSON and raw."""
    arrays = [
        np.zeros(size, DTYPES.get(datatype, object)).astype(DTYPES.get(datatype, "S1")) for datatype, size in outputs
    ]
    reply = InferReply(outputs=[to_tensor(f"y{at}", array) for at, array in enumerate(arrays)])
    json, tail = oip_binary.encode_reply(reply, model="m", version="1", binary=BinaryOutputs(every=binary))
    assert len(orjson.loads(json)["outputs"]) == len(outputs)
    assert len(tail) == (len(outputs) if binary else 0)


X: dict[str, Any] = {"name": "x", "datatype": "UINT8", "shape": [1], "data": [1]}


@pytest.mark.parametrize(
    ("document", "names"),
    [
        ({"inputs": [X | {"shape": [1] * (DIMENSIONS + 1)}]}, "dimensions"),
        ({"inputs": [X], "outputs": [{"name": f"y{n}"} for n in range(OUTPUTS + 1)]}, "`outputs`"),
        ({"inputs": [X], "outputs": [{"name": "y"}, {"name": "y"}]}, "'y' twice"),
        ({"inputs": [X | {"name": "n" * 100_000, "data": None}]}, "list `data`"),
        ({"inputs": [X], "parameters": {"p" * 100_000: []}}, "true, false"),
    ],
)
def test_what_is_beyond_a_limit_is_refused_briefly(document: dict[str, Any], names: str) -> None:
    """In a sentence that does not repeat it at full length."""
    with pytest.raises(InvalidRequest) as caught:
        oip_json.decode_request(orjson.dumps(document))
    assert names in caught.value.message
    assert len(caught.value.message) < 500


def nested(depth: int) -> bytes:
    """Brackets within brackets."""
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize("depth", [70, 1000, 100_000])
@pytest.mark.parametrize("field", [b"inputs", b"outputs", b"parameters", b"id"])
def test_brackets_within_brackets_are_refused(field: bytes, depth: int) -> None:
    """However deep; nothing of ours climbs down after them."""
    tensor = b'{"name":"x","datatype":"INT8","shape":[1],"data":%b}' % nested(depth)
    for body in (nested(depth), b'{"%b":%b}' % (field, nested(depth)), b'{"inputs":[%b]}' % tensor):
        with pytest.raises(InvalidRequest):
            oip_binary.decode_call(body, None)
