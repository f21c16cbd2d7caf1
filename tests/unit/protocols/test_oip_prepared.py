"""A prepared call gives the very message that reading the body anew would."""

from __future__ import annotations

import json
from math import prod
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.protocols.oip_binary import BinaryOutputs, decode_call, encode_reply
from scurry.protocols.oip_prepared import (
    BRACKETS,
    KNOWN,
    LONGEST,
    PreparedCall,
    PreparedCalls,
    PreparedJson,
    PreparedReplies,
)
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import DTYPES, to_tensor

SIZES = st.sampled_from([0, 1, 127, 128, 129, 16_383, 16_384, CLAIM_CHECK_BYTES, CLAIM_CHECK_BYTES + 1])


@st.composite
def inputs(draw: st.DrawFn) -> dict[str, Any]:
    """One input of some datatype, its bytes behind the JSON."""
    datatype = draw(st.sampled_from([*DTYPES, "BYTES"]))
    shape = draw(st.lists(st.integers(0, 5), max_size=3)) if draw(st.booleans()) else [draw(SIZES)]
    size = draw(SIZES) if datatype == "BYTES" else prod(shape) * DTYPES[datatype].itemsize
    named = {"name": draw(st.text(min_size=1, max_size=9)), "datatype": datatype, "shape": shape}
    return named | {"parameters": {"binary_data_size": size}}


PARAMETERS = st.dictionaries(
    st.text(max_size=5), st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5), max_size=3
)


@st.composite
def documents(draw: st.DrawFn) -> tuple[bytes, int]:
    """A JSON and how many bytes of tensors follow it."""
    tensors = draw(st.lists(inputs(), min_size=1, max_size=3, unique_by=lambda one: one["name"]))
    outputs = [{"name": name} for name in draw(st.lists(st.text(min_size=1, max_size=4), max_size=2, unique=True))]
    document = {"inputs": tensors, "outputs": outputs, "parameters": draw(PARAMETERS)}
    return orjson.dumps(document), sum(one["parameters"]["binary_data_size"] for one in tensors)


def key_of(name: str) -> str:
    """A key for a tensor."""
    return f"key of {name}"


@given(documents(), st.randoms(use_true_random=False))
def test_the_message_is_the_same(document: tuple[bytes, int], random: Any) -> None:
    """With other tensors than the first time, whether they are in the message or parked."""
    json, size = document
    first, second = bytes(size), random.randbytes(size)
    prepared = PreparedCall(decode_call(json + first, str(len(json))), 7)
    message, parked = prepared.request(memoryview(second), key_of)
    expected = decode_call(json + second, str(len(json))).request
    there = {key_of(tensor.name): tensor.data for tensor in expected.inputs if len(tensor.data) > CLAIM_CHECK_BYTES}
    for tensor in expected.inputs:
        if len(tensor.data) > CLAIM_CHECK_BYTES:
            tensor.payload = key_of(tensor.name)
    assert InferRequest.FromString(message) == expected
    assert {key: bytes(data) for key, data in parked} == there
    assert (prepared.size, prepared.timeout_us) == (size, 7)


def head(**more: Any) -> bytes:
    """The JSON of a request with 8 bytes behind it."""
    one = {"name": "x", "datatype": "FP32", "shape": [1, 2], "parameters": {"binary_data_size": 8}}
    return orjson.dumps({"inputs": [one], **more})


def keep(calls: PreparedCalls, json: bytes, tail: bytes = bytes(8)) -> None:
    """Show it a whole request."""
    calls.keep(json, decode_call(json + tail, str(len(json))), 0)


def test_what_was_seen_is_found_again() -> None:
    """If as many bytes follow: a body with more or fewer is read in full, which says what is wrong with it."""
    calls = PreparedCalls()
    assert calls.find(head(), memoryview(bytes(8))) is None
    keep(calls, head())
    assert calls.find(head(), memoryview(bytes(8))) is not None
    assert calls.find(head(), memoryview(bytes(9))) is None
    assert calls.find(head(), memoryview(bytes(7))) is None


@pytest.mark.parametrize(
    ("json", "tail"),
    [
        (head(id="mine"), bytes(8)),
        (head(parameters={"note": "x" * LONGEST}), bytes(8)),
        (orjson.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]}), b""),
    ],
)
def test_what_will_not_come_again_is_not_kept(json: bytes, tail: bytes) -> None:
    """An id of the caller's own, tensors in the JSON, and what is too long to be worth it."""
    calls = PreparedCalls()
    keep(calls, json, tail)
    assert calls.find(json, memoryview(tail)) is None


def test_few_are_kept() -> None:
    """One who sends another JSON each time takes no more memory than the limit."""
    calls = PreparedCalls()
    for number in range(KNOWN + 1):
        keep(calls, head(parameters={"n": number}))
    assert repr(calls) == "<PreparedCalls 1 known>"
    found = calls.find(head(parameters={"n": KNOWN}), memoryview(bytes(8)))
    assert found is not None
    assert repr(found[0]) == "<PreparedCall for 8 bytes>"


ODD_NUMBERS = st.sampled_from([None, True, "", "1", "NaN", "-Infinity", 1e39])
NUMBERS = st.integers(-300, 300) | st.floats(width=32, allow_nan=False) | ODD_NUMBERS
PAIRS = st.lists(NUMBERS, min_size=2, max_size=2)
LISTS = PAIRS | st.lists(NUMBERS, max_size=3) | st.lists(st.lists(NUMBERS, max_size=2))
ODD = st.sampled_from(
    [
        '[1,2],"shape":[2]',
        "[1,2",
        "{}",
        '{"data":[1,2]}',
        '[1,2],"data":[3,4]',
        "[1,2]]",
        '[1,2]}],"x":[{"y":[1]',
        "[1, 2 ]",
        '[1,2],"d\\u0061ta":[3,4]',
        "[[[1]],[[2]]]",
    ]
)


def filled(template: str, data: str) -> bytes:
    """A body with a list, or whatever, where its numbers are."""
    return template.replace("@", data).encode()


TEMPLATES = st.sampled_from(
    [
        '{"inputs":[{"name":"x","datatype":"FP32","shape":[1,2],"data":@}]}',
        '{"inputs":[{"name":"x","datatype":"FP32","shape":[2],"data":@}]}',
        '{"inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "data": @}]}',
        '{"inputs":[{"name":"data","shape":[2],"datatype":"INT32","data":@}],"outputs":[{"name":"data"}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@}],"parameters":{"binary_data_output":true}}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@}],"outputs":[{"name":"y"}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@}],"outputs":[{"name":"z"}]}',
        '{"parameters":{"p":7},"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@}]}',
        '{"id":"mine","inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@},{"name":"z","parameters":{}}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"UINT8","data":@,"d\\u0061ta":[7,8]}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"UINT8","data":@,"data" :[7,8]}]}',
        '{"inputs":[{"data":@,"name":"x","shape":[2],"datatype":"FP16"}]}',
        '{"inputs":[{"data":@,"name":"x","shape":[2],"datatype":"FP16"}],"id":"mine"}',
        '{"data":@,"inputs":[{"name":"x","shape":[2],"datatype":"INT8","d\\u0061ta":[7,8]}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"BOOL","data":@}]}',
        '{"inputs":[{"name":"x","shape":[2],"datatype":"BYTES","data":@}]}',
        '{"inputs":[{"name":"x","shape":[1],"datatype":"FP32","data":[5]},'
        '{"name":"z","shape":[2],"datatype":"FP32","data":@}]}',
    ]
)


def understood(body: bytes) -> tuple[Any, ...]:
    """What reading a body anew gives."""
    try:
        call = decode_call(body, None)
    except InvalidRequest as failure:
        return failure.code, failure.message
    return call.request, call.id, call.binary


USUAL = st.sampled_from(["[0,1]", "[1,0]", "[1,1]", "[[1,0]]", '["a","bc"]', '["a","bcd"]'])
DATA = USUAL | USUAL | LISTS.map(orjson.dumps).map(bytes.decode) | ODD


@settings(max_examples=400)
@given(st.lists(TEMPLATES, min_size=1, max_size=3), st.lists(st.tuples(st.integers(0, 2), DATA), min_size=5))
def test_json_like_another_is_read_as_it_would_be_anew(templates: list[str], stream: list[tuple[int, str]]) -> None:
    """Whatever came before, and whatever stands where numbers should: the same request, or the same refusal."""
    seen = PreparedJson()
    for body in (filled(templates[which % len(templates)], data) for which, data in stream):
        expected = understood(body)
        try:
            found = seen.find(body)
        except InvalidRequest as failure:
            assert (failure.code, failure.message) == expected
            continue
        if found is not None:
            request = InferRequest.FromString(found[0].request(found[1], key_of)[0])
            assert (request, "", found[0].binary) == expected
        elif isinstance(expected[0], InferRequest):
            seen.keep(body, decode_call(body, None), 0)


def test_json_with_other_numbers_is_found() -> None:
    """Flat or nested, with or without spaces, as json and orjson write it."""
    for dumps in (json.dumps, lambda document: orjson.dumps(document).decode()):
        for first, second in (([1.5, 2], [3, -4e-3]), ([[1.5, 2]], [[3, 4]]), ([[1.5, 2]], [3, 4])):
            seen = PreparedJson()
            one = {"name": "x", "datatype": "FP32", "shape": [1, 2]}
            bodies = [dumps({"inputs": [one | {"data": data}]}).encode() for data in (first, second)]
            assert seen.find(bodies[1]) is None
            seen.keep(bodies[0], decode_call(bodies[0], None), 7)
            found = seen.find(bodies[1])
            assert found is not None
            assert np.frombuffer(found[1], "<f4").tolist() == np.float32(second).ravel().tolist()
            assert found[0].timeout_us == 7


def test_what_stands_behind_the_numbers_counts() -> None:
    """As what stands before them."""
    one, other = (
        filled('{"inputs":[{"name":"x","shape":[2],"datatype":"INT32","data":@}],"outputs":[{"name":"%"}]}', data)
        for data in ("[1,2]", "[3,4]")
    )
    seen = PreparedJson()
    seen.keep(one.replace(b"%", b"y"), decode_call(one.replace(b"%", b"y"), None), 0)
    assert seen.find(other.replace(b"%", b"y")) is not None
    assert seen.find(other.replace(b"%", b"z")) is None


def test_a_list_of_very_many_lists_is_read_anew() -> None:
    """To look for its end would take longer than is won."""
    seen = PreparedJson()
    for count, is_kept in ((BRACKETS // 2 - 1, True), (BRACKETS // 2, False)):
        template = f'{{"inputs":[{{"name":"x","shape":[{count},1],"datatype":"INT8","data":@}}]}}'
        body = filled(template, str([[1]] * count))
        seen.keep(body, decode_call(body, None), 0)
        assert (seen.find(body) is not None) is is_kept


def test_few_json_are_kept() -> None:
    """As of the others."""
    seen = PreparedJson()
    for number in range(KNOWN + 1):
        body = filled(f'{{"inputs":[{{"name":"x{number}","shape":[1],"datatype":"FP32","data":@}}]}}', "[1]")
        seen.keep(body, decode_call(body, None), 0)
    assert repr(seen) == "<PreparedJson 1 known>"


TENSORS = st.builds(
    Tensor,
    name=st.sampled_from(["y", "z"]),
    datatype=st.sampled_from(["UINT8", "INT8"]),
    shape=st.sampled_from([[3], [1, 3], []]),
    data=st.sampled_from([b"", b"abc", b"xyz", b'"\x03ab', b'"\x03abc']),
)


@st.composite
def replies(draw: st.DrawFn) -> bytes:
    """A reply as a worker writes it, or somebody else."""
    reply = InferReply(outputs=draw(st.lists(TENSORS, min_size=1, max_size=2)))
    if draw(st.integers(0, 3)) == 3:
        reply.parameters["p"].string_value = draw(st.sampled_from(["abc", "xyz", '"\x03abc']))
    return reply.SerializeToString()


NAMES, VERSIONS = st.sampled_from([b"m", b"m", b"n"]), st.sampled_from([b"1", b"1", b"2"])


@st.composite
def streams(draw: st.DrawFn) -> list[tuple[bytes, bytes, bytes, bool]]:
    """Replies of which most differ from another in their bytes only, and whether they are wanted in binary."""
    kinds = draw(st.lists(replies(), min_size=1, max_size=2))
    content = st.sampled_from([(b"abc", b"xyz"), (b"xyz", b"abc"), (b"", b"")])
    drawn = draw(st.lists(st.tuples(NAMES, VERSIONS, st.sampled_from(kinds), content, st.booleans()), min_size=10))
    return [(name, version, raw.replace(*change), every) for name, version, raw, change, every in drawn]


@given(streams())
def test_a_reply_like_another_is_told_as_it_would_be_anew(stream: list[tuple[bytes, bytes, bytes, bool]]) -> None:
    """Whatever came before it, from whichever model and version, in whichever form."""
    seen = PreparedReplies()
    for model, version, raw, every in stream:
        reply = InferReply.FromString(raw)
        try:
            json, tensors = encode_reply(
                reply, model=model.decode(), version=version.decode(), binary=BinaryOutputs(every)
            )
        except InvalidRequest:  # a shape that its bytes do not have
            assert not every
            continue
        found = seen.find(model, version, raw, binary=every)
        assert found in (None, (json, tensors))
        seen.keep(model, version, raw, reply, json, binary=every)


@given(st.lists(st.lists(st.floats(width=16), min_size=3, max_size=3), min_size=2, max_size=4))
def test_numbers_that_json_cannot_hold_are_told_by_the_same_names(rows: list[list[float]]) -> None:
    """Whether a reply like it was seen or not."""
    seen = PreparedReplies()
    for row in rows:
        reply = InferReply(outputs=[to_tensor("y", np.array(row, np.float32))])
        raw = reply.SerializeToString()
        json, _ = encode_reply(reply, model="m", version="1", binary=BinaryOutputs())
        assert seen.find(b"m", b"1", raw, binary=False) in (None, (json, []))
        seen.keep(b"m", b"1", raw, reply, json, binary=False)
        np.testing.assert_array_equal(np.array(orjson.loads(json)["outputs"][0]["data"], np.float32), np.float32(row))


def test_a_reply_is_found_again_by_what_stands_before_its_bytes() -> None:
    """Not by another's, not with more or fewer of them."""
    seen = PreparedReplies()
    one, other, longer = (
        InferReply(outputs=[Tensor(name="y", datatype="UINT8", shape=[len(data)], data=data)])
        for data in (b"abc", b"xyz", b"abcd")
    )
    seen.keep(b"m", b"1", one.SerializeToString(), one, b"{}")
    assert seen.find(b"m", b"1", other.SerializeToString()) == (b"{}", [b"xyz"])
    assert seen.find(b"m", b"2", other.SerializeToString()) is None
    assert seen.find(b"n", b"1", other.SerializeToString()) is None
    assert seen.find(b"m", b"1", longer.SerializeToString()) is None
    for other_head in ({"name": "z"}, {"datatype": "INT16"}, {"shape": [9]}):
        tensor = Tensor(**({"name": "y", "datatype": "UINT8", "shape": [3], "data": b"xyz"} | other_head))
        found = seen.find(b"m", b"1", InferReply(outputs=[tensor]).SerializeToString())
        assert found is None, other_head
    assert repr(seen) == "<PreparedReplies 1 known>"


def test_few_replies_are_kept() -> None:
    """As of requests."""
    seen = PreparedReplies()
    reply = InferReply(outputs=[Tensor(name="y", datatype="UINT8", shape=[1], data=b"a")])
    for number in range(KNOWN + 1):
        seen.keep(b"m", b"%d" % number, reply.SerializeToString(), reply, b"{}")
    assert repr(seen) == "<PreparedReplies 1 known>"
