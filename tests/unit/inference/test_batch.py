"""Claim, stack, run, split."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.inference.toys import Toy, body, request, row

from scurry.inference.batch import batches, run, stack
from scurry.inference.forms import Forms
from scurry.inference.members import claim
from scurry.runtimes.runtime import Port
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import ENCODING_INPUTS


def answers(members) -> list:
    """Values, or the code of the failure, of each member."""
    return [
        member.failure.code if member.failure else np.frombuffer(member.outputs[0][1], np.float32).tolist()
        for member in members
    ]


def run_all(model: Toy, members) -> None:
    """Run everything that is ready."""
    forms = Forms(model)
    for batch in batches(members, model.max_batch_size, batched=model.batched):
        run(model, forms, batch)


def test_members_are_stacked_and_get_their_own_rows():
    """Requests of one look go through the model in one call, up to its rows."""
    model = Toy()
    members = claim([request(at, body(x=row(at, at))) for at in range(6)], Forms(model))
    run_all(model, members)
    assert model.seen == [(4, 2), (2, 2)]
    assert answers(members) == [[at + 1.0, at + 1.0] for at in range(6)]


def test_requests_of_several_rows_are_cut_where_they_were_joined():
    """Rows differ from request to request, answers follow."""
    model = Toy(limit=8)
    arrays = [np.full((rows, 2), rows, np.float32) for rows in (1, 3, 2, 9, 0)]
    members = claim([request(at, body(x=array)) for at, array in enumerate(arrays)], Forms(model))
    run_all(model, members)
    assert answers(members) == [(array + 1).ravel().tolist() for array in arrays]
    assert [member.outputs[0][0] for member in members] == [array.shape for array in arrays]
    assert model.seen == [(6, 2), (9, 2), (0, 2)]


def test_only_equal_tails_are_stacked():
    """Requests of another shape behind the batch dimension go in a call of their own."""
    free = (Port("x", "FP32", (-1, -1)),)
    model = Toy(inputs=free, outputs=free)
    arrays = [row(1), row(1, 2), row(3), row(3, 4)]
    members = claim([request(at, body(x=array)) for at, array in enumerate(arrays)], Forms(model))
    run_all(model, members)
    assert sorted(model.seen) == [(2, 1), (2, 2)]
    assert answers(members) == [[2.0], [2.0, 3.0], [4.0], [4.0, 5.0]]


def test_models_without_batch_get_one_request_each():
    """What cannot be stacked runs singly."""
    model = Toy(limit=0)
    members = claim([request(at, body(x=row(at, at))) for at in range(3)], Forms(model))
    run_all(model, members)
    assert model.seen == [(1, 2)] * 3


@pytest.mark.parametrize(
    ("content", "encoding", "code"),
    [
        (b"\xff\xff", 0, "bad_request"),
        (b"{", ENCODING_INPUTS, "bad_request"),
        (body(z=row(1, 2)), 0, "input_name"),
        (body(x=row(1, 2, 3)), 0, "input_shape"),
        (InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=[1, 2], data=b"123")]).SerializeToString(), 0,
         "input_shape"),
        (InferRequest.FromString(body(x=row(1, 2))).SerializeToString() + b"\x12\x01q", 0, "output_name"),
    ],
)  # fmt: skip
def test_one_bad_request_fails_alone(content, encoding, code):
    """A request that is wrong has its code; its neighbours have their answers."""
    model = Toy()
    good = body(x=row(1, 2))
    members = claim([request(0, good), request(1, content, encoding=encoding), request(2, good)], Forms(model))
    run_all(model, members)
    assert answers(members) == [[2.0, 3.0], code, [2.0, 3.0]]
    assert model.seen == [(2, 2)]


def test_a_failing_batch_is_run_again_singly():
    """Only the member that the model refuses fails."""

    def picky(x):
        if (x == 13).any():
            raise ValueError("not thirteen")
        return [x + 1]

    model = Toy(picky)
    members = claim([request(at, body(x=row(at, at))) for at in (1, 13, 2)], Forms(model))
    run_all(model, members)
    assert answers(members) == [[2.0, 2.0], "model_failed", [3.0, 3.0]]
    assert "not thirteen" in members[1].failure.message


def test_a_fault_of_our_own_fails_alone():
    """What is no failure of the model is `internal`, for the one member."""
    model = Toy(lambda x: [x + 1] * (2 if (x == 13).any() else 1))
    members = claim([request(at, body(x=row(at, at))) for at in (1, 13)], Forms(model))
    run_all(model, members)
    assert answers(members) == [[2.0, 2.0], "internal"]


def test_a_model_that_loses_rows_is_run_singly():
    """A batch with too few rows in the answer is not guessed at."""
    model = Toy(lambda x: [x[:1] + 1])
    members = claim([request(at, body(x=row(at, at))) for at in (1, 2)], Forms(model))
    run_all(model, members)
    assert answers(members) == [[2.0, 2.0], [3.0, 3.0]]


def test_texts_are_stacked_and_split():
    """BYTES have no fixed size, and still share a call."""
    text = (Port("t", "BYTES", (-1, 1)),)
    model = Toy(lambda t: [t + t], inputs=text, outputs=text)
    members = claim(
        [request(at, body(t=np.array([[word]], dtype=object))) for at, word in enumerate(("a", "bcd"))], Forms(model)
    )
    run_all(model, members)
    assert model.seen == [(2, 1)]
    assert [bytes(member.outputs[0][1]) for member in members] == [b"\2\0\0\0aa", b"\6\0\0\0bcdbcd"]


def test_json_and_protobuf_share_a_batch():
    """How a request is written does not matter to the model."""
    model = Toy()
    inputs = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [5, 6]}]}'
    members = claim([request(0, body(x=row(1, 2))), request(1, inputs, encoding=ENCODING_INPUTS)], Forms(model))
    run_all(model, members)
    assert answers(members) == [[2.0, 3.0], [6.0, 7.0]]
    assert model.seen == [(2, 2)]


def test_a_member_alone_is_not_copied():
    """The array of a single request lies over the bytes that came."""
    forms = Forms(Toy())
    members = claim([request(0, body(x=row(1, 2)))], forms)
    (array,) = stack(forms, members)
    assert array.base is not None
    assert np.shares_memory(array, np.frombuffer(members[0].data[0], np.float32))


def test_large_outputs_are_views():
    """Above 64 KiB rows are cut out of the model's own memory."""
    wide = (Port("x", "UINT8", (-1, 40_000)),)
    model = Toy(lambda x: [x], inputs=wide, outputs=wide)
    members = claim([request(at, body(x=np.full((1, 40_000), at, np.uint8))) for at in (1, 2)], Forms(model))
    run_all(model, members)
    assert [type(member.outputs[0][1]) for member in members] == [memoryview, memoryview]
    assert [bytes(member.outputs[0][1][:2]) for member in members] == [b"\1\1", b"\2\2"]
