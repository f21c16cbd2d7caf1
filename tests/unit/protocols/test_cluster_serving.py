"""Records as requests for a model, and its outputs as answers."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
from tests.unit.protocols.test_cluster_serving_arrow import VECTORS, as_client, stream, tensor

from scurry.protocols.cluster_serving import decode_request, encode_reply, is_cluster_serving
from scurry.wire.errors import InvalidRequest, ScurryError
from scurry.wire.infer_pb2 import Tensor
from scurry.wire.messages_pb2 import ENCODING_ARROW, ENCODING_INPUTS, ENCODING_INSTANCES, ENCODING_REQUEST, TensorSpec
from scurry.wire.tensors import Array, to_array, to_bytes


class Port:
    """An input of a model."""

    def __init__(self, name: str, datatype: str, *shape: int) -> None:
        self.name, self.datatype, self.shape = name, datatype, shape


def decoded(body: bytes, *ports: Port, batched: bool = False) -> tuple[dict[str, Array], bool]:
    """The inputs that a record is for these ports."""
    request, added = decode_request(body, ENCODING_ARROW, ports, batched=batched)
    return {one.name: to_array(one) for one in request.inputs}, added


def record(**columns: Sequence[float]) -> bytes:
    """Columns of one dimension."""
    return stream(**{name: tensor(data=list(values), shape=[len(values)]) for name, values in columns.items()})


def test_only_its_two_encodings_are_cluster_servings() -> None:
    """The protocol's own are not."""
    encodings = (ENCODING_REQUEST, ENCODING_INPUTS, ENCODING_ARROW, ENCODING_INSTANCES)
    assert [is_cluster_serving(each) for each in encodings] == [False, False, True, True]


def test_a_batch_dimension_is_put_before_what_has_none() -> None:
    """And not before what a binding says has one, nor before what has the model's rank."""
    dense = VECTORS["dense 2x2"].encode()
    (array,), added = decoded(dense, Port("x", "FP32", -1, 2, 2))[0].values(), True
    assert (array.tolist(), added) == ([[[1, 2], [3, 4]]], True)
    inputs, added = decoded(dense, Port("x", "FP32", -1, 2))
    assert (inputs["x"].shape, added) == ((2, 2), False)
    inputs, added = decoded(dense, Port("x", "FP32", -1, 2, 2), batched=True)
    assert (inputs["x"].shape, added) == ((2, 2), False)  # of another rank, which the layout check will say


def test_numbers_become_what_the_model_takes() -> None:
    """Every number comes as a float of 32 bits."""
    body = record(x=[0, 1, 200])
    assert decoded(body, Port("x", "INT64", -1, 3))[0]["x"].tolist() == [[0, 1, 200]]
    assert decoded(body, Port("x", "BOOL", -1, 3))[0]["x"].tolist() == [[False, True, True]]
    assert decoded(body, Port("x", "FP16", -1, 3))[0]["x"].dtype == np.float16
    for values in ([0.5], [300], [float("nan")]):
        with pytest.raises(InvalidRequest, match="cannot hold"):
            decoded(record(x=values), Port("x", "UINT8", -1, 1))
    with pytest.raises(InvalidRequest, match="takes BYTES, and numbers came"):
        decoded(body, Port("x", "BYTES", -1, 3))


def test_names_hold_only_if_all_of_them_are_the_models() -> None:
    """Else the order does."""
    ports = (Port("a", "FP32", -1, 1), Port("b", "FP32", -1, 1))
    assert {name: one.item() for name, one in decoded(record(b=[2], a=[1]), *ports)[0].items()} == {"a": 1, "b": 2}
    assert {name: one.item() for name, one in decoded(record(b=[2], z=[1]), *ports)[0].items()} == {"a": 2, "b": 1}


def test_two_columns_of_one_name_are_not_one() -> None:
    """They stand in the model's order, like any whose names are not the model's."""
    batch = pa.record_batch([tensor(data=[1.0], shape=[1]), tensor(data=[2.0], shape=[1])], names=["a", "a"])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.schema) as writer:
        writer.write_batch(batch)
    inputs, _ = decoded(b64encode(sink.getvalue()), Port("a", "FP32", -1, 1), Port("b", "FP32", -1, 1))
    assert {name: one.item() for name, one in inputs.items()} == {"a": 1, "b": 2}


@pytest.mark.parametrize("columns", [{"a": [1]}, {"a": [1], "b": [1], "c": [1]}])
def test_too_few_and_too_many_inputs_are_counted(columns: dict[str, list[float]]) -> None:
    """The sentence names both."""
    with pytest.raises(InvalidRequest, match=r"the model takes 2 \('a', 'b'\)"):
        decoded(record(**columns), Port("a", "FP32", -1, 1), Port("b", "FP32", -1, 1))


def test_texts_are_one_or_as_many_as_the_model_has_room_for() -> None:
    """A picture is one text; `|` parts a list only where the model takes one."""
    body = VECTORS["strings"].encode()
    assert decoded(body, Port("s", "BYTES", -1))[0]["s"].tolist() == [b"hello|world"]
    assert decoded(body, Port("s", "BYTES", -1, 1))[0]["s"].tolist() == [[b"hello|world"]]
    assert decoded(body, Port("s", "BYTES", -1, -1))[0]["s"].tolist() == [[b"hello", b"world"]]
    assert decoded(body, Port("s", "BYTES", -1), batched=True)[0]["s"].tolist() == [b"hello", b"world"]
    assert decoded(VECTORS["image"].encode(), Port("img", "BYTES", -1))[0]["img"].tolist() == [b"/9j/4AAQ"]
    with pytest.raises(InvalidRequest, match="preprocessing"):
        decoded(VECTORS["image"].encode(), Port("img", "FP32", -1, 3, 2, 2))
    with pytest.raises(InvalidRequest, match="is a text; the model takes"):
        decoded(body, Port("s", "BYTES", -1, 2, 2))


def test_a_sparse_tensor_is_made_dense_or_taken_apart() -> None:
    """As the model takes it."""
    body = VECTORS["sparse 5x10"].encode()
    (whole,) = decoded(body, Port("x", "FP32", -1, 5, 10))[0].values()
    assert whole.shape == (1, 5, 10)
    assert {tuple(map(int, at)): float(whole[tuple(at)]) for at in np.argwhere(whole)} == {
        (0, 0, 0): 101, (0, 1, 2): 102, (0, 4, 5): 103,
    }  # fmt: skip
    parts = (Port("i", "INT64", -1, -1, 2), Port("v", "FP32", -1, -1), Port("s", "INT64", -1, 2))
    inputs, added = decoded(body, *parts)
    assert added
    assert {name: one.tolist() for name, one in inputs.items()} == {
        "i": [[[0, 0], [1, 2], [4, 5]]], "v": [[101, 102, 103]], "s": [[5, 10]],
    }  # fmt: skip


def test_a_number_alone_is_a_list_of_one_where_the_model_wants_that() -> None:
    """As the original server has it."""
    body = json.dumps({"instances": [{"x": 5}]}).encode()
    for port, shape in ((Port("x", "FP32", -1, 1), (1, 1)), (Port("x", "FP32", -1), (1,))):
        request, added = decode_request(body, ENCODING_INSTANCES, [port], batched=False)
        assert (tuple(request.inputs[0].shape), added) == (shape, True)


def test_a_mixed_record_of_columns_of_other_lengths_than_its_own_is_read() -> None:
    """A text beside a tensor has nulls in the rows that it does not have."""
    body = stream(x=tensor(data=[1.0], shape=[1]), s=pa.array(["a", None, None, None]))
    inputs, _ = decoded(body, Port("x", "FP32", -1, 1), Port("s", "BYTES", -1))
    assert (inputs["x"].tolist(), inputs["s"].tolist()) == ([[1]], [b"a"])


def written(array: Array, datatype: str, *, added: bool = True) -> list[tuple[list[int], list[float]]]:
    """What a client sees of one output."""
    value = encode_reply([Port("y", datatype)], [(array.shape, to_bytes(array, datatype))], added=added)
    return as_client(value)


def test_the_batch_dimension_is_taken_off_again() -> None:
    """Only if it was put there; [1, 1] is read as [1]."""
    array = np.arange(6, dtype=np.float32).reshape(1, 2, 3)
    assert written(array, "FP32") == as_client(VECTORS["result 2x3"].encode())
    assert written(array, "FP32", added=False) == [([1, 2, 3], [0, 1, 2, 3, 4, 5])]
    assert written(np.zeros((1, 1, 1), np.float32), "FP32") == as_client(VECTORS["result 1x1"].encode())
    assert written(np.zeros((1,), np.float32), "FP32") == [([1], [0])]
    assert written(np.ones((1, 1, 1, 2), np.float32), "FP32") == [([1, 2], [1, 1])]
    assert written(np.ones((2, 2), np.float32), "FP32") == [([2, 2], [1] * 4)]


@pytest.mark.parametrize(
    ("array", "datatype", "seen"),
    [
        (np.array([[True, False]]), "BOOL", [1, 0]),
        (np.array([[3, 2**40]]), "INT64", [3, float(2**40)]),
        (np.array([["1.5", "2"]], object), "BYTES", [1.5, 2]),
        (np.array([[0.5]], np.float64), "FP64", [0.5]),
    ],
)
def test_every_number_is_answered_with_32_bits(array: Array, datatype: str, seen: list[float]) -> None:
    """Also truths, and texts that are numbers."""
    assert written(array, datatype) == [([len(seen)], seen)]
    ours = encode_reply([Port("y", datatype)], [(array.shape, to_bytes(array, datatype))], added=True)
    assert pa.ipc.open_stream(b64decode(ours)).schema.field("data").type == pa.float32()


@pytest.mark.parametrize(
    ("array", "datatype"), [(np.array([["cat"]], object), "BYTES"), (np.zeros((1, 0), np.float32), "FP32")]
)
def test_what_has_no_form_is_a_failure_that_says_so(array: Array, datatype: str) -> None:
    """Labels, and outputs without any element."""
    with pytest.raises(ScurryError, match=r"Output 'y' (holds texts|is empty)"):
        written(array, datatype)


def test_ports_may_be_whatever_has_a_name_and_a_type() -> None:
    """The wire's own messages among them."""
    spec, made = TensorSpec(name="x", datatype="FP32", shape=[-1, 2, 2]), Tensor(name="y", datatype="FP32")
    request, _ = decode_request(VECTORS["dense 2x2"].encode(), ENCODING_ARROW, [spec], batched=False)  # type: ignore[list-item]
    assert request.inputs[0].name == "x"
    assert as_client(encode_reply([made], [((2,), np.ones(2, np.float32).tobytes())], added=False)) == [([2], [1, 1])]
