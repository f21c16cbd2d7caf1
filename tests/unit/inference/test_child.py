"""What a child process does, without the process."""

from __future__ import annotations

import io
import json

import numpy as np
import onnx
from onnx import TensorProto, helper
from tests.unit.inference.toys import Shop, Toy, row
from tests.unit.transforms.encoded import encode, noise

from scurry.inference.child import ANSWER, FAILED, HEAD, OPENED, Child, read, unstacked
from scurry.inference.opening import PipelineOpener
from scurry.runtimes.catalog import Opener
from scurry.wire.errors import Failed
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Load, ModelSpec
from scurry.wire.tensors import to_array, to_tensor

ASKED = InferRequest(inputs=[to_tensor("", row(1, 2))])


def load(identity: str = "i", **fields) -> Load:
    """What the model is."""
    return Load(model="m", version="1", spec=ModelSpec(uri="toy", identity=identity, **fields))


def answered(shop: Shop, *asked: tuple[Load, InferRequest]) -> list[tuple[int, bytes]]:
    """The frames that a child answers with."""
    out = io.BytesIO()
    child = Child(shop, 1 << 40, out)
    for each in asked:
        child.serve(*each)
    frames, data = [], out.getvalue()
    while data:
        length, kind = HEAD.unpack_from(data)
        frames.append((kind, data[HEAD.size : HEAD.size + length]))
        data = data[HEAD.size + length :]
    return frames


def test_a_model_is_opened_once_and_answers(shop):
    """It says when the model is there, then what it gives; another registration is another model."""
    frames = answered(shop, (load(), ASKED), (load(), ASKED), (load("j"), ASKED))
    assert [kind for kind, _ in frames] == [OPENED, ANSWER] * 3
    (output,) = InferReply.FromString(frames[1][1]).outputs
    assert (output.name, to_array(output).tolist()) == ("y", [[2, 3]])
    assert shop.opened == ["m@1", "m@1"]


def test_failures_have_code_and_sentence_and_the_model_is_opened_anew(shop):
    """What one request broke is not there for the next."""

    def picky(x):
        if x[0, 0] == 1:
            raise ValueError("not one")
        return [x]

    shop.toys["m"] = lambda: Toy(picky)
    other = InferRequest(inputs=[to_tensor("", row(2, 2))])
    frames = answered(shop, (load(), ASKED), (load(), other))
    assert frames[1] == (FAILED, b"model_failed\nThe model failed: not one")
    assert [kind for kind, _ in frames] == [OPENED, FAILED, OPENED, ANSWER]
    assert shop.opened == ["m@1", "m@1"]


def test_what_cannot_be_opened_is_said(shop):
    """Neither a broken model nor other files than those registered."""

    def broken() -> Toy:
        raise Failed("load_failed", "no such file")

    shop.toys["m"] = broken
    assert answered(shop, (load(), ASKED)) == [(FAILED, b"load_failed\nno such file")]
    (frame,) = answered(shop, (load(fingerprint="other"), ASKED))
    assert b"load_failed\n/m/1 was changed" in frame[1]


def test_stacking_is_not_proven_where_nothing_is_stacked():
    """The other options stay."""
    assert json.loads(unstacked(ModelSpec(config='{"threads": 2, "max_batch_size": 8}'))) == {
        "threads": 2,
        "max_batch_size": 0,
    }
    assert json.loads(unstacked(ModelSpec())) == {"max_batch_size": 0}


def test_frames_end_with_the_worker():
    """A frame that was cut off is none."""
    assert read(io.BytesIO(b"\0\0\0\2ab")) == b"ab"
    assert read(io.BytesIO(b"\0\0\0\2a")) is None
    assert read(io.BytesIO(b"\0")) is None


def test_outputs_of_any_kind_come_back(shop):
    """Texts as well as numbers of a type that was not declared."""
    shop.toys["m"] = lambda: Toy(lambda x: [np.array([["a", "é"]], object)])
    (output,) = InferReply.FromString(answered(shop, (load(), ASKED))[1][1]).outputs
    assert to_array(output).tolist() == [[b"a", "é".encode()]]


def test_it_opens_and_no_more_when_that_is_asked(shop):
    """With the options it was registered with, as the worker would; a failure is one."""

    def broken() -> Toy:
        raise Failed("load_failed", "no")

    asked = load()
    asked.apart = True
    assert answered(shop, (asked, InferRequest())) == [(OPENED, b"")]
    shop.toys["m"] = broken
    assert answered(shop, (asked, InferRequest())) == [(FAILED, b"load_failed\nno")]


def test_a_child_opens_the_pipeline(tmp_path):
    """What loses its worker is computed apart with its steps, and what cannot be used is told by code and sentence."""
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, 4, 4]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "g", infos[:1], infos[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "model.onnx")
    config = json.dumps({"preprocessing": [{"decode": True}], "postprocessing": [{"to": "seen"}]})
    spec = Load(model="m", version="1", spec=ModelSpec(uri=str(tmp_path), identity="i", config=config))
    asked = [np.array([one], dtype=object) for one in (encode(noise(1, 4, 4)), b"none")]
    good, bad = (InferRequest(inputs=[to_tensor("", one)]) for one in asked)
    frames = answered(PipelineOpener(Opener()), (spec, good), (spec, bad))
    (output,) = InferReply.FromString(frames[1][1]).outputs
    assert output.name == "seen"
    assert np.array_equal(to_array(output)[0].transpose(1, 2, 0), noise(1, 4, 4))
    assert frames[3] == (FAILED, b"input_value\nInput 'x' is no picture: it has 4 bytes.")
