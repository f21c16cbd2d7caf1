"""What each request brings, before it meets others."""

from __future__ import annotations

import numpy as np
from tests.unit.inference.toys import Toy, body, request, row

from scurry.inference.forms import Forms
from scurry.inference.members import claim, drop_late, keys_needed, supply
from scurry.runtimes.runtime import Port
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import Request


def brought(members) -> list:
    """The values, or the code of the failure, of each member."""
    return [
        member.failure.code if member.failure else np.frombuffer(member.data[0], np.float32).tolist()
        for member in members
    ]


def parked(at: int, key: str) -> Request:
    """A request whose input is parked."""
    tensor = Tensor(name="x", datatype="FP32", shape=[1, 2], payload=key)
    return request(at, InferRequest(inputs=[tensor]).SerializeToString())


def test_what_is_parked_is_asked_for_once_and_consumed():
    """Keys of parked inputs are gathered over the whole batch."""
    forms = Forms(Toy())
    members = claim([parked(0, "k"), parked(1, "k"), parked(2, "l"), request(3, body(x=row(1, 2)))], forms)
    assert keys_needed(members) == ["k", "l"]
    supply(members, {"k": row(3, 4).tobytes(), "l": None}, forms)
    assert brought(members) == [[3.0, 4.0], [3.0, 4.0], "payload_missing", [1.0, 2.0]]
    assert [list(member.consumed) for member in members] == [["k"], ["k"], ["l"], []]


def test_a_parked_body_may_refer_to_parked_inputs():
    """Bodies and inputs are parked independently of each other."""
    forms = Forms(Toy())
    members = claim([request(0, b"", payload="body")], forms)
    assert keys_needed(members) == ["body"]
    supply(members, {"body": parked(0, "k").body}, forms)
    assert keys_needed(members) == ["k"]
    supply(members, {"k": row(1, 2).tobytes()}, forms)
    assert brought(members) == [[1.0, 2.0]]
    assert members[0].consumed == ["body", "k"]


def test_a_parked_input_of_the_wrong_size_fails_alone():
    """Parked bytes are held against the form too."""
    forms = Forms(Toy())
    members = claim([parked(0, "k")], forms)
    supply(members, {"k": b"123"}, forms)
    assert members[0].failure.code == "input_shape"
    assert "8 bytes, but carries 3" in members[0].failure.message


def test_late_members_are_not_stacked():
    """Who waits no more is told so; who set no deadline has time."""
    forms = Forms(Toy())
    members = claim(
        [request(at, body(x=row(1, 2)), deadline=deadline) for at, deadline in enumerate((0, 99, 100))], forms
    )
    drop_late(members, 100)
    assert [member.failure and member.failure.code for member in members] == [None, "deadline_exceeded", None]


def test_a_member_tells_its_state():
    """repr says where a member stands."""
    forms = Forms(Toy())
    assert repr(claim([parked(0, "k")], forms)[0]) == "<Member r0: waits for payloads>"
    assert repr(claim([request(1, body(x=row(1, 2)))], forms)[0]) == "<Member r1: claimed>"


def test_texts_that_are_cut_short_fail_alone():
    """The elements of BYTES are counted before they are stacked."""
    text = (Port("t", "BYTES", (-1, 1)),)
    model = Toy(lambda t: [t], inputs=text, outputs=text)
    short = InferRequest(inputs=[Tensor(name="t", datatype="BYTES", shape=[1, 1], data=b"\5\0\0\0ab")])
    members = claim([request(0, short.SerializeToString())], Forms(model))
    assert members[0].failure.code == "input_shape"
