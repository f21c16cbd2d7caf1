"""What requests to a model may look like."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.inference.toys import Toy, body, row

from scurry.inference.layouts import REMEMBERED, InputLayout, LayoutCache
from scurry.runtimes.port import Port
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.tensors import to_tensor, varint

TWO = (Port("a", "FP32", (-1, 2)), Port("b", "INT64", (-1,)))


def parsed(**arrays) -> InferRequest:
    """A request with those inputs."""
    return InferRequest.FromString(body(**arrays))


def recognise(layouts: LayoutCache, content: bytes) -> tuple[InputLayout, bytes] | None:
    """Layout and data of a body whose beginning is known, else None."""
    known = layouts.beginning(len(content))
    return (known[1], content[len(known[0]) :]) if known and content.startswith(known[0]) else None


def test_a_layout_says_rows_sizes_and_order():
    """Inputs may come in any order; a layout brings them into the model's."""
    layout = LayoutCache(Toy(inputs=TWO)).check(parsed(b=np.zeros(3, np.int64), a=np.zeros((3, 2), np.float32)))
    assert (layout.rows, layout.sizes, layout.order) == (3, (24, 24), (1, 0))
    assert layout.group == (("FP32", (2,)), ("INT64", ()))


def test_layouts_of_one_look_are_one_object():
    """A layout is checked once."""
    layouts = LayoutCache(Toy())
    assert layouts.check(parsed(x=row(1, 2))) is layouts.check(parsed(x=row(3, 4)))


@pytest.mark.parametrize(
    ("arrays", "code", "sentence"),
    [
        ({"y": row(1, 2)}, "input_name", "no input 'y'; it takes 'x'"),
        ({}, "input_name", r"Input 'x' is missing \(FP32 \[-1, 2\]\)"),
        ({"x": np.zeros((1, 2))}, "input_datatype", "Input 'x' came as FP64; the model takes FP32"),
        ({"x": np.zeros(2, np.float32)}, "input_rank", r"1 dimensions \[2\]; the model takes 2, \[-1, 2\]"),
        ({"x": row(1, 2, 3)}, "input_shape", r"shape \[1, 3\]; the model takes \[-1, 2\]"),
    ],
)
def test_mistakes_name_the_tensor_what_came_and_what_is_expected(arrays, code, sentence):
    """Each mistake has its code and a sentence that says what to do."""
    with pytest.raises(InvalidRequest, match=sentence) as caught:
        LayoutCache(Toy()).check(parsed(**arrays))
    assert caught.value.code == code


def test_an_input_that_came_twice():
    """The same name twice is a mistake, not a choice."""
    request = InferRequest(inputs=[to_tensor("x", row(1, 2)), to_tensor("x", row(3, 4))])
    with pytest.raises(InvalidRequest, match="came twice"):
        LayoutCache(Toy()).check(request)


def test_inputs_must_have_the_same_rows():
    """The batch dimension is one for all inputs."""
    with pytest.raises(InvalidRequest, match="must be the same: 'a'"):
        LayoutCache(Toy(inputs=TWO)).check(parsed(a=np.zeros((3, 2), np.float32), b=np.zeros(2, np.int64)))


def test_unbatched_models_take_inputs_of_any_first_dimension():
    """Without a batch dimension the inputs' first dimensions have nothing to do with each other."""
    layouts = LayoutCache(Toy(inputs=TWO, limit=0))
    layout = layouts.check(parsed(a=np.zeros((3, 2), np.float32), b=np.zeros(2, np.int64)))
    assert layout.group == (("FP32", (3, 2)), ("INT64", (2,)))


def test_a_known_beginning_needs_no_parsing():
    """A body with the beginning and length of a known one is its layout and its last bytes."""
    layouts = LayoutCache(Toy())
    first, second = body(x=row(1, 2)), body(x=row(3, 4))
    assert recognise(layouts, second) is None
    request = InferRequest.FromString(first)
    layouts.remember(first, request, layouts.check(request))
    layout, data = recognise(layouts, second)
    assert layout is layouts.check(request)
    assert data == row(3, 4).tobytes()


def test_other_requests_are_not_mistaken_for_known_ones():
    """Another name, datatype, shape, or anything after the data makes another beginning or length."""
    layouts = LayoutCache(Toy())
    known = body(x=row(1, 2))
    request = InferRequest.FromString(known)
    layouts.remember(known, request, layouts.check(request))
    asks = InferRequest(inputs=[to_tensor("x", row(1, 2))], outputs=["y"]).SerializeToString()
    flat = body(x=np.array([[1], [2]], np.float32))
    for other in (body(z=row(1, 2)), body(x=np.array([[1, 2]], np.int32)), flat, asks, body(x=row(1)), b""):
        assert recognise(layouts, other) is None


def test_only_single_plain_tensors_are_remembered():
    """Requests with two inputs or with wishes are parsed each time."""
    layouts = LayoutCache(Toy())
    for request in (
        InferRequest(inputs=[to_tensor("x", row(1, 2))], outputs=["y"]),
        InferRequest(inputs=[to_tensor("x", row(1, 2)), to_tensor("z", row(1, 2))]),
    ):
        layouts.remember(request.SerializeToString(), request, LayoutCache(Toy()).check(parsed(x=row(1, 2))))
        assert recognise(layouts, request.SerializeToString()) is None


def test_what_is_remembered_is_bounded():
    """Models with free dimensions do not grow the memory for ever."""
    layouts = LayoutCache(Toy(inputs=(Port("x", "UINT8", (-1, -1)),)))
    for wide in range(1, REMEMBERED + 50):
        content = body(x=np.zeros((1, wide), np.uint8))
        request = InferRequest.FromString(content)
        layouts.remember(content, request, layouts.check(request))
        layouts.head(0, (1, wide), wide)
    assert len(layouts._known) <= REMEMBERED
    assert len(layouts._beginnings) <= REMEMBERED
    assert len(layouts._heads) <= REMEMBERED


@pytest.mark.parametrize("wide", [0, 1, 31, 32, 200, 5000])
def test_a_head_and_its_data_are_a_serialised_reply(wide):
    """Replies are put together from bytes, and protobuf reads them."""
    layouts = LayoutCache(Toy())
    array = np.arange(wide * 2, dtype=np.float32).reshape(wide, 2)
    reply = InferReply.FromString(layouts.head(0, array.shape, array.nbytes) + array.tobytes())
    assert reply == InferReply(outputs=[to_tensor("y", array)])


def test_unknown_outputs_are_a_mistake():
    """Outputs are asked for by the model's names."""
    layouts = LayoutCache(Toy())
    assert layouts.wanted(["y"]) == (0,)
    with pytest.raises(InvalidRequest, match="no output 'q'; it has 'y'") as caught:
        layouts.wanted(["q"])
    assert caught.value.code == "output_name"


@pytest.mark.parametrize(
    ("names", "sentence"), [(["y"] * 10_000, "10000 outputs"), (["y", "y"], "'y' is asked for more than once")]
)
def test_outputs_are_asked_for_once_and_few(names, sentence):
    """One output named ten thousand times is not computed into an answer of ten thousand."""
    with pytest.raises(InvalidRequest, match=sentence) as caught:
        LayoutCache(Toy()).wanted(names)
    assert caught.value.code == "output_name"


def test_a_tensor_has_a_bounded_number_of_dimensions():
    """A million of them is refused before anything is made of them, in a short sentence."""
    request = InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=[1] * 1_000_000)])
    with pytest.raises(InvalidRequest, match="1000000 dimensions; at most 32") as caught:
        LayoutCache(Toy()).check(request)
    assert (caught.value.code, len(caught.value.message) < 200) == ("input_rank", True)


def test_only_data_at_the_end_is_taken_for_data():
    """Fields may stand in any order: a name that ends like the data is not the data."""
    layouts = LayoutCache(Toy(inputs=(Port("12345678", "FP32", (-1, 2)),)))
    inner = b"\x22\x08" + b"12345678" + b"\x12\x04FP32\x1a\x02\x01\x02" + b"\x0a\x08" + b"12345678"
    content = b"\x0a" + varint(len(inner)) + inner
    asked = InferRequest.FromString(content)
    layouts.remember(content, asked, layouts.check(asked))
    assert recognise(layouts, content) is None
