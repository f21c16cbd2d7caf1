"""Copies for a shadow, and what they show."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.inference.toys import body, call, left, mail, replies, request, row, sent

from scurry.inference.items import BatchItem
from scurry.inference.shadowing import compare
from scurry.runtimes.port import Port
from scurry.wire.infer_pb2 import InferReply, Tensor
from scurry.wire.messages_pb2 import Copies, Done, Expected, Released, Request

Y = Port("y", "FP32", (-1, 2))


async def serve(inference, *calls):
    """Let the function answer."""
    await inference.serve(calls, lambda _: None)


def released(answered) -> list[Released]:
    """What a call lets go of."""
    out = answered.response.invocation_result.outgoing_egresses
    return [Released.FromString(each.argument.value) for each in out if each.argument.typename.endswith("Released")]


def expected(*values: float) -> Expected:
    """What a caller got."""
    tensor = Tensor(name="y", datatype="FP32", shape=[1, 2], data=row(*values).tobytes())
    return Expected(outputs=InferReply(outputs=[tensor]).SerializeToString(), busy_micros=500)


async def test_what_is_answered_is_copied_with_its_answer(inference):
    """Callers are answered as ever; only what went well is copied, and its copy has nobody to answer."""
    one = call(sent(request(0, body(x=row(1, 2)), deadline=1 << 50, keep=9), request(1, b"?"), shadow="2"))
    await serve(inference, one)
    assert [each.error for each in replies(one)] == ["", "bad_request"]
    ((to, key, copies),) = mail(one, Copies)
    assert (to, key, copies.version) == ("scurry/router", "m", "2")
    (copy,) = copies.requests
    assert copy == Request(id="r0", entry="s/0", model="m", body=body(x=row(1, 2)))
    (tensor,) = InferReply.FromString(copies.expected[0].outputs).outputs
    assert (tensor.name, np.frombuffer(tensor.data, "<f4").tolist()) == ("y", [2, 3])


async def test_a_copy_is_compared_and_nobody_is_answered(inference):
    """It counts as compared, equal or not; a failure of it is its own; its inputs are let go of in the end."""
    requests = [request(at, body(x=row(1, 2))) for at in range(2)]
    requests.append(request(2, b"?"))
    got = [expected(2, 3), expected(2, 3.5), expected(0, 0)]
    one = call(sent(*requests, expected=got, report=True))
    await serve(inference, one)
    assert left(one) == ({}, [])
    ((_, _, done),) = mail(one, Done)
    shadow = done.answered[0].shadow
    assert (shadow.compared, shadow.equal, shadow.max_abs_diff, dict(shadow.errors)) == (2, 1, 0.5, {"bad_request": 1})
    assert (done.answered[0].ok, dict(done.answered[0].errors), shadow.primary_micros) == (0, {}, 1000)
    assert done.sequence == 3


async def test_callers_and_copies_in_one_call_do_not_mix(inference):
    """The version may be shadow and take requests at once."""
    one = call(sent(request(0, body(x=row(1, 2)))), sent(request(1, body(x=row(3, 4))), expected=[expected(4, 5)]))
    await serve(inference, one)
    assert [(each.id, each.error) for each in replies(one)] == [("r0", "")]


def item(array: np.ndarray) -> BatchItem:
    """What a model gave."""
    made = BatchItem(Request())
    made.outputs = [(array.shape, array.tobytes())]
    return made


@pytest.mark.parametrize(
    ("datatype", "one", "other", "equal", "difference"),
    [
        ("FP32", [1.0, 2.0], [1.0, 2.0], True, 0.0),
        ("FP32", [1.0, 2.0], [1.00001, 2.0], True, 1e-5),
        ("FP32", [1.0, 2.0], [1.0, 2.5], False, 0.5),
        ("FP32", [np.nan, 2.0], [np.nan, 2.00001], True, 1e-5),
        ("FP32", [np.nan, 2.0], [1.0, 2.0], False, 0.0),
        ("FP32", [np.inf, 2.0], [np.inf, 2.00001], True, 1e-5),
        ("INT64", [1, 2], [1, 5], False, 3.0),
        ("BOOL", [True, False], [True, True], False, 1.0),
    ],
)
def test_numbers_are_equal_within_a_tolerance(datatype, one, other, equal, difference):
    """Whole numbers and truths exactly; what is not finite must be the same and has no difference."""
    kind = {"FP32": "<f4", "INT64": "<i8", "BOOL": "?"}[datatype]
    left_side, right = (np.array([each], kind) for each in (one, other))
    tensor = Tensor(name="y", datatype=datatype, shape=[1, 2], data=left_side.tobytes())
    found = compare([tensor], item(right), [Port("y", datatype, (-1, 2))])
    assert found == (equal, pytest.approx(difference, rel=0.1))


def test_another_shape_type_or_name_is_not_equal():
    """It has no difference either."""
    tensor = Tensor(name="y", datatype="FP32", shape=[1, 2], data=row(1, 2).tobytes())
    assert compare([tensor], item(np.ones((1, 3), np.float32)), [Y]) == (False, 0.0)
    assert compare([tensor], item(row(1, 2)), [Port("z", "FP32", (-1, 2))]) == (False, 0.0)
    assert compare([tensor], item(row(1, 2)), [Port("y", "INT32", (-1, 2))]) == (False, 0.0)
    assert compare([], item(row(1, 2)), [Y]) == (False, 0.0)


def test_only_the_beginning_of_a_large_tensor_is_compared():
    """8 KiB of it travel."""
    big = np.zeros((1, 4096), np.float32)
    tensor = Tensor(name="y", datatype="FP32", shape=[1, 4096], data=big.tobytes()[: 8 * 1024])
    big[0, 4000] = 1
    assert compare([tensor], item(big), [Y]) == (True, 0.0)
    big[0, 4] = 1
    assert compare([tensor], item(big), [Y]) == (False, 1.0)
