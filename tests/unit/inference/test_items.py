"""What each request brings, before it meets others."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.inference.toys import Toy, body, request, row

from scurry.inference.items import claim, drop_late, keys_needed, supply
from scurry.inference.layouts import LayoutCache
from scurry.runtimes.port import Port
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import ENCODING_INPUTS, ENCODING_REQUEST, Request
from scurry.wire.tensors import to_tensor


def brought(items) -> list:
    """The values, or the code of the failure, of each item."""
    return [item.failure.code if item.failure else np.frombuffer(item.data[0], np.float32).tolist() for item in items]


def key(at: int, name: str) -> str:
    """A payload key of request number `at`."""
    return f"scurry:payload:r{at}:in:{name}"


def parked(at: int, name: str) -> Request:
    """A request whose input is parked."""
    tensor = Tensor(name="x", datatype="FP32", shape=[1, 2], payload=key(at, name))
    return request(at, InferRequest(inputs=[tensor]).SerializeToString())


def test_what_is_parked_is_asked_for_once_and_consumed():
    """Keys of parked inputs are gathered over the whole batch."""
    layouts = LayoutCache(Toy())
    items = claim([parked(0, "k"), parked(0, "k"), parked(1, "l"), request(3, body(x=row(1, 2)))], layouts)
    assert keys_needed(items) == [key(0, "k"), key(1, "l")]
    supply(items, {key(0, "k"): row(3, 4).tobytes(), key(1, "l"): None}, layouts)
    assert brought(items) == [[3.0, 4.0], [3.0, 4.0], "payload_missing", [1.0, 2.0]]
    assert [list(item.consumed) for item in items] == [[key(0, "k")], [key(0, "k")], [key(1, "l")], []]


def test_a_parked_body_may_refer_to_parked_inputs():
    """Bodies and inputs are parked independently of each other."""
    layouts = LayoutCache(Toy())
    items = claim([request(0, b"", payload=key(0, "body"))], layouts)
    assert keys_needed(items) == [key(0, "body")]
    supply(items, {key(0, "body"): parked(0, "k").body}, layouts)
    assert keys_needed(items) == [key(0, "k")]
    supply(items, {key(0, "k"): row(1, 2).tobytes()}, layouts)
    assert brought(items) == [[1.0, 2.0]]
    assert items[0].consumed == [key(0, "body"), key(0, "k")]


@pytest.mark.parametrize(
    "foreign",
    ["scurry:models", "scurry:payload:r1:in:x", "scurry:payload:r00:in:x", "ns:payload:r0:in:x", "r0", "SCURRY:"],
)
@pytest.mark.parametrize("whole", [True, False])
def test_what_is_not_ones_own_is_neither_read_nor_deleted(foreign, whole):
    """A key outside the request's own names is refused, in a tensor as for a body; nothing of it is consumed."""
    tensors = [Tensor(name="x", datatype="FP32", shape=[1, 2], payload=foreign)]
    asked = request(0, b"" if whole else InferRequest(inputs=tensors).SerializeToString())
    asked.payload = foreign if whole else ""
    (item,) = claim([asked], LayoutCache(Toy()))
    assert (item.failure.code, item.needs, item.consumed) == ("not_allowed", None, ())
    assert repr(foreign) in item.failure.message


def test_a_parked_body_cannot_name_what_others_parked():
    """What came by a detour is held against the same rule; the body itself was the request's own."""
    layouts = LayoutCache(Toy())
    items = claim([request(0, b"", payload=key(0, "body"))], layouts)
    supply(items, {key(0, "body"): parked(1, "k").body}, layouts)
    assert (items[0].failure.code, items[0].needs, items[0].consumed) == ("not_allowed", None, [key(0, "body")])


def test_a_parked_input_of_the_wrong_size_fails_alone():
    """Parked bytes are held against the layout too."""
    layouts = LayoutCache(Toy())
    items = claim([parked(0, "k")], layouts)
    supply(items, {key(0, "k"): b"123"}, layouts)
    assert items[0].failure.code == "input_shape"
    assert "8 bytes, but carries 3" in items[0].failure.message


PLAIN = body(x=row(1, 2))
BODIES = st.sampled_from(
    [
        PLAIN,
        body(x=row(3, 4)),
        body(x=np.float32([[1, 2], [3, 4]])),
        body(z=row(1, 2)),
        body(x=np.int32([[1, 2]])),
        PLAIN + InferRequest(outputs=["y"]).SerializeToString(),
        PLAIN + InferRequest(outputs=["n"]).SerializeToString(),
        PLAIN[:-1],
        b"",
    ]
)


@given(st.lists(st.tuples(BODIES, st.booleans()), max_size=12))
def test_what_came_before_changes_nothing(drawn):
    """Bodies that begin alike, or are as long, are each read for what they are."""

    def seen(item):
        return item.failure and item.failure.code, item.layout, [bytes(each) for each in item.data], item.wanted

    requests = [request(at, sent, encoding=ENCODING_INPUTS if json else 0) for at, (sent, json) in enumerate(drawn)]
    layouts = LayoutCache(Toy())
    for _ in range(2):
        together = [seen(item) for item in claim(requests, layouts)]
        assert together == [seen(item) for one in requests for item in claim([one], LayoutCache(Toy()))]


def test_late_items_are_not_stacked():
    """Who waits no more is told so; who set no deadline has time."""
    layouts = LayoutCache(Toy())
    items = claim(
        [request(at, body(x=row(1, 2)), deadline=deadline) for at, deadline in enumerate((0, 99, 100))], layouts
    )
    assert drop_late(items, 99) is items
    assert drop_late(items, 100) == [items[0], items[2]]
    assert [item.failure and item.failure.code for item in items] == [None, "deadline_exceeded", None]


def test_an_item_tells_its_state():
    """repr says where an item stands."""
    layouts = LayoutCache(Toy())
    assert repr(claim([parked(0, "k")], layouts)[0]) == "<BatchItem r0: waits for payloads>"
    assert repr(claim([request(1, body(x=row(1, 2)))], layouts)[0]) == "<BatchItem r1: claimed>"


def test_texts_that_are_cut_short_fail_alone():
    """The elements of BYTES are counted before they are stacked."""
    text = (Port("t", "BYTES", (-1, 1)),)
    model = Toy(lambda t: [t], inputs=text, outputs=text)
    short = InferRequest(inputs=[Tensor(name="t", datatype="BYTES", shape=[1, 1], data=b"\5\0\0\0ab")])
    items = claim([request(0, short.SerializeToString())], LayoutCache(model))
    assert items[0].failure.code == "input_shape"


@pytest.mark.parametrize("encoding", [ENCODING_REQUEST, ENCODING_INPUTS])
@pytest.mark.parametrize(
    ("name", "given"), [("sequence_id", 7), ("sequence_start", True), ("sequence_end", True), ("priority", 1)]
)
def test_what_does_not_work_yet_is_refused(encoding, name, given):
    """A parameter that would change what the request means is not silently left out; 0 and false ask for nothing."""
    for value, code in ((given, "bad_request"), (type(given)(0), None)):
        if encoding == ENCODING_INPUTS:
            tensor = {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}
            content = json.dumps({"inputs": [tensor], "parameters": {name: value}}).encode()
        else:
            asked = InferRequest.FromString(body(x=row(1, 2)))
            setattr(asked.parameters[name], "bool_value" if isinstance(value, bool) else "int_value", value)
            content = asked.SerializeToString()
        (item,) = claim([request(0, content, encoding=encoding)], LayoutCache(Toy()))
        assert (item.failure and item.failure.code) == code
        assert code is None or repr(name) in item.failure.message


@given(content=st.binary(max_size=200), encoding=st.sampled_from([ENCODING_REQUEST, ENCODING_INPUTS]))
def test_no_bytes_harm_a_neighbour(content, encoding):
    """Whatever a body holds, it is claimed or fails, and the next request is read."""
    strange, good = claim([request(0, content, encoding=encoding), request(1, body(x=row(1, 2)))], LayoutCache(Toy()))
    assert good.failure is None
    assert strange.failure is not None or strange.layout is not None


def test_a_deeply_nested_body_fails_alone():
    """A parser that gives up is one request's failure."""
    deep = b'{"inputs": ' + b"[" * 100_000
    strange, good = claim(
        [request(0, deep, encoding=ENCODING_INPUTS), request(1, body(x=row(1, 2)))], LayoutCache(Toy())
    )
    assert good.failure is None
    assert strange.failure.code == "bad_request"


@pytest.mark.parametrize("behind", ["parameters", "tensor", "output", "priority", "nothing", "cut", "noise"])
def test_a_step_that_begins_like_the_last_is_read_as_any(behind: str) -> None:
    """Whatever stands behind its data, what comes of it is what parsing all of it comes to."""
    toy = Toy()
    known = InferRequest(inputs=[to_tensor("x", row(1, 2))])
    known.parameters["sequence_id"].int_value = 7
    step = InferRequest(inputs=[to_tensor("x", row(3, 4))])
    match behind:
        case "parameters":
            step.parameters["sequence_id"].string_value = "another"
        case "tensor":
            step.inputs.append(to_tensor("x", row(5, 6)))
        case "output":
            step.outputs.append("z")
        case "priority":
            step.parameters["priority"].int_value = 1
    content = step.SerializeToString()
    content = content[:-1] if behind == "cut" else content + b"\xff" if behind == "noise" else content
    layouts, fresh = LayoutCache(toy), LayoutCache(toy)
    for cache in (layouts, fresh):
        cache.keeps_sequences = True
    claim([request(1, known.SerializeToString())], layouts)
    assert layouts.step is not None
    (item,), (parsed,) = claim([request(2, content)], layouts), claim([request(2, content)], fresh)
    assert (str(item.failure), list(item.data), item.wanted) == (str(parsed.failure), list(parsed.data), parsed.wanted)
    assert item.layout == parsed.layout
