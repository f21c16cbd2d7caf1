"""Claim, stack, run, split."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.inference.toys import Toy, body, request, row

from scurry.inference.batch import PartlyFailed, RowFault, batches, inputs_of, run, same_rows
from scurry.inference.items import BatchItem, claim
from scurry.inference.layouts import InputLayout, LayoutCache
from scurry.inference.sizes import BatchSizes
from scurry.runtimes.port import Port
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Request


def answers(items) -> list:
    """Values, or the code of the failure, of each item."""
    return [
        item.failure.code if item.failure else np.frombuffer(item.outputs[0][1], np.float32).tolist() for item in items
    ]


def run_all(model: Toy, items) -> None:
    """Run everything that is ready."""
    layouts = LayoutCache(model)
    for batch in batches(items, LayoutCache(model).sizes, batched=model.batched, alike=same_rows(items)):
        run(model, layouts, batch)


def test_items_are_stacked_and_get_their_own_rows():
    """Requests of one look go through the model in one call, up to its rows."""
    model = Toy()
    items = claim([request(at, body(x=row(at, at))) for at in range(6)], LayoutCache(model))
    run_all(model, items)
    assert model.seen == [(4, 2), (2, 2)]
    assert answers(items) == [[at + 1.0, at + 1.0] for at in range(6)]


def test_requests_of_several_rows_are_cut_where_they_were_joined():
    """Rows differ from request to request, answers follow."""
    model = Toy(limit=8)
    arrays = [np.full((rows, 2), rows, np.float32) for rows in (1, 3, 2, 9, 0)]
    items = claim([request(at, body(x=array)) for at, array in enumerate(arrays)], LayoutCache(model))
    run_all(model, items)
    assert answers(items) == [(array + 1).ravel().tolist() for array in arrays]
    assert [item.outputs[0][0] for item in items] == [array.shape for array in arrays]
    assert model.seen == [(6, 2), (9, 2), (0, 2)]


def test_only_equal_tails_are_stacked():
    """Requests of another shape behind the batch dimension go in a call of their own."""
    free = (Port("x", "FP32", (-1, -1)),)
    model = Toy(inputs=free, outputs=free)
    arrays = [row(1), row(1, 2), row(3), row(3, 4)]
    items = claim([request(at, body(x=array)) for at, array in enumerate(arrays)], LayoutCache(model))
    run_all(model, items)
    assert sorted(model.seen) == [(2, 1), (2, 2)]
    assert answers(items) == [[2.0], [2.0, 3.0], [4.0], [4.0, 5.0]]


def test_models_without_batch_get_one_request_each():
    """What cannot be stacked runs singly."""
    model = Toy(limit=0)
    items = claim([request(at, body(x=row(at, at))) for at in range(3)], LayoutCache(model))
    run_all(model, items)
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
    items = claim([request(0, good), request(1, content, encoding=encoding), request(2, good)], LayoutCache(model))
    run_all(model, items)
    assert answers(items) == [[2.0, 3.0], code, [2.0, 3.0]]
    assert model.seen == [(2, 2)]


def test_a_failing_batch_is_run_again_singly():
    """Only the item that the model refuses fails."""

    def picky(x):
        if (x == 13).any():
            raise ValueError("not thirteen")
        return [x + 1]

    model = Toy(picky)
    items = claim([request(at, body(x=row(at, at))) for at in (1, 13, 2)], LayoutCache(model))
    run_all(model, items)
    assert answers(items) == [[2.0, 2.0], "model_failed", [3.0, 3.0]]
    assert "not thirteen" in items[1].failure.message


def test_a_fault_of_our_own_fails_alone():
    """What is no failure of the model is `internal`, for the one item."""
    model = Toy(lambda x: [x + 1] * (2 if (x == 13).any() else 1))
    items = claim([request(at, body(x=row(at, at))) for at in (1, 13)], LayoutCache(model))
    run_all(model, items)
    assert answers(items) == [[2.0, 2.0], "internal"]


def test_a_model_that_loses_rows_is_run_singly():
    """A batch with too few rows in the answer is not guessed at."""
    model = Toy(lambda x: [x[:1] + 1])
    items = claim([request(at, body(x=row(at, at))) for at in (1, 2)], LayoutCache(model))
    run_all(model, items)
    assert answers(items) == [[2.0, 2.0], [3.0, 3.0]]


def test_texts_are_stacked_and_split():
    """BYTES have no fixed size, and still share a call."""
    text = (Port("t", "BYTES", (-1, 1)),)
    model = Toy(lambda t: [t + t], inputs=text, outputs=text)
    items = claim(
        [request(at, body(t=np.array([[word]], dtype=object))) for at, word in enumerate(("a", "bcd"))],
        LayoutCache(model),
    )
    run_all(model, items)
    assert model.seen == [(2, 1)]
    assert [bytes(item.outputs[0][1]) for item in items] == [b"\2\0\0\0aa", b"\6\0\0\0bcdbcd"]


def test_json_and_protobuf_share_a_batch():
    """How a request is written does not matter to the model."""
    model = Toy()
    inputs = b'{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [5, 6]}]}'
    items = claim([request(0, body(x=row(1, 2))), request(1, inputs, encoding=ENCODING_INPUTS)], LayoutCache(model))
    run_all(model, items)
    assert answers(items) == [[2.0, 3.0], [6.0, 7.0]]
    assert model.seen == [(2, 2)]


def test_an_item_alone_is_not_copied():
    """The array of a single request lies over the bytes that came."""
    layouts = LayoutCache(Toy())
    items = claim([request(0, body(x=row(1, 2)))], layouts)
    (array,) = inputs_of(layouts, items[0])
    assert array.base is not None
    assert np.shares_memory(array, np.frombuffer(items[0].data[0], np.float32))


def test_large_outputs_are_views():
    """Above 64 KiB rows are cut out of the model's own memory."""
    wide = (Port("x", "UINT8", (-1, 40_000)),)
    model = Toy(lambda x: [x], inputs=wide, outputs=wide)
    items = claim([request(at, body(x=np.full((1, 40_000), at, np.uint8))) for at in (1, 2)], LayoutCache(model))
    run_all(model, items)
    assert [type(item.outputs[0][1]) for item in items] == [memoryview, memoryview]
    assert [bytes(item.outputs[0][1][:2]) for item in items] == [b"\1\1", b"\2\2"]


@given(st.lists(st.integers(0, 5), max_size=30), st.integers(1, 6), st.booleans())
def test_batches_are_the_same_whether_all_look_alike_or_not(rows, limit, alike):
    """No item is left out, none twice; each batch is one group of at most `limit` rows, or one item."""
    rows = [rows[0]] * len(rows) if alike and rows else rows
    items = []
    for count in rows:
        items.append(BatchItem(Request()))
        items[-1].layout = InputLayout(count, (("x", (2,)),), ((count, 2),), (8 * count,), (0,))
    made = batches(items, BatchSizes(limit), batched=True, alike=same_rows(items))
    assert made == batches(items, BatchSizes(limit), batched=True, alike=0) or not alike or rows[0] > limit
    assert sorted(map(id, (item for batch in made for item in batch))) == sorted(map(id, items))
    for batch in made:
        assert len(batch) == 1 or 0 < sum(item.layout.rows for item in batch) <= limit
        assert len(batch) == 1 or all(item.layout.rows > 0 for item in batch)
    if alike and rows and 0 < rows[0] <= limit:
        assert len(made) == -(-len(rows) // (limit // rows[0]))


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=3), min_size=1, max_size=4))
def test_rows_that_cannot_be_used_fail_alone_in_one_model_call(good):
    """The others take what the model made of theirs, and nothing is run again; a caller hears of his own rows only."""

    class Picky(Toy):
        def run(self, arrays):
            outputs = super().run(arrays)
            faults = {at: RowFault("x", "is below 0") for at, one in enumerate(arrays[0]) if one[0] < 0}
            if faults:
                raise PartlyFailed(outputs, faults, len(arrays[0]))
            return outputs

    model = Picky(limit=16)
    sent = [np.float32([[at if fine else -1, 0] for fine in rows]) for at, rows in enumerate(good)]
    items = claim([request(at, body(x=rows)) for at, rows in enumerate(sent)], LayoutCache(model))
    run_all(model, items)
    assert len(model.seen) == 1
    for item, rows, brought in zip(items, good, sent, strict=True):
        if all(rows):
            assert answers([item]) == [(brought + 1).ravel().tolist()]
        else:
            where = f", row {rows.index(False)}," if len(rows) > 1 else ""
            assert type(item.failure) is InvalidRequest
            assert str(item.failure) == f"input_value: Input 'x'{where} is below 0."
