"""The files in which an ONNX model keeps tensors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.catalog import Opener
from scurry.runtimes.external import external_files
from scurry.runtimes.files import locate
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec


def away(name: str, location: str) -> TensorProto:
    """A tensor of 3 × 2 that lies elsewhere."""
    tensor = numpy_helper.from_array(np.ones((3, 2), np.float32), name)
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "24"}.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def value(name: str, *shape: int | str) -> onnx.ValueInfoProto:
    """An input or output of FP32."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def graph(*tensors: TensorProto, nodes: tuple = ()) -> onnx.GraphProto:
    """y = x · w."""
    return helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"]), *nodes],
        "g",
        [value("x", "n", 3)],
        [value("y", "n", 2)],
        tensors,
    )


def save(path: Path, made: onnx.GraphProto) -> Path:
    """The graph as a model."""
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    return path


def test_every_place_where_a_tensor_may_be_is_looked_at(tmp_path):
    """Initializers, sparse ones, attributes of nodes, graphs within them, functions; weights in the file are none."""
    inner = helper.make_node("If", ["c"], ["z"], then_branch=graph(away("w", "then.bin")), else_branch=graph())
    nodes = (inner, helper.make_node("Constant", [], ["k"], value=away("", "deep/constant")))
    made = graph(away("w", "weights.dat"), numpy_helper.from_array(np.ones(9999), "big"), nodes=nodes)
    made.sparse_initializer.add().values.CopyFrom(away("s", "sparse"))
    model = helper.make_model(made)
    model.functions.add(name="f").node.append(helper.make_node("Constant", [], ["k"], value=away("", "function")))
    path = tmp_path / "m.onnx"
    path.write_bytes(model.SerializeToString())
    names = ["deep/constant", "function", "sparse", "then.bin", "weights.dat"]
    assert external_files(path) == tuple(tmp_path / name for name in names)


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_what_is_no_model_names_no_files_and_raises_nothing(tmp_path_factory, data, cut):
    """Random bytes, and a model that ends early or goes on with them."""
    path = tmp_path_factory.mktemp("any") / "m.onnx"
    model = save(path, graph(away("w", "weights.dat"))).read_bytes()
    for content in (data, model[:cut] + data, model + data):
        path.write_bytes(content)
        assert all(isinstance(each, Path) for each in external_files(path))


def test_other_files_are_not_read(tmp_path):
    """Their weights are known by name."""
    assert external_files(tmp_path / "absent.xml") == ()


def test_weights_under_any_name_are_part_of_the_model(tmp_path):
    """Overwritten, they are another model: refused under the old fingerprint, opened by a new registration."""
    path, weights = save(tmp_path / "m.onnx", graph(away("w", "weights.dat"))), tmp_path / "weights.dat"
    weights.write_bytes(np.ones(6, np.float32).tobytes())
    spec, opener = ModelSpec(uri=str(path)), Opener()
    before = opener.find("m", "1", spec)
    assert before.file.parts == [path, weights]
    assert before.bytes == path.stat().st_size + 24
    weights.write_bytes(np.zeros(6, np.float32).tobytes())
    after = opener.find("m", "1", spec)
    assert after.fingerprint != before.fingerprint
    with pytest.raises(Failed, match="was changed while it was opened"):
        opener.open(before, "")
    assert open_model("m", "1", spec).run([np.ones((1, 3), np.float32)])[0].tolist() == [[0, 0]]


def test_weights_outside_of_the_root_are_refused(tmp_path):
    """A model cannot name what lies elsewhere."""
    (tmp_path / "root").mkdir()
    save(tmp_path / "root" / "m.onnx", graph(away("w", "../secret")))
    (tmp_path / "secret").write_bytes(bytes(24))
    with pytest.raises(Failed, match="lies outside of"):
        locate("m.onnx", "m", "1", (".onnx",), str(tmp_path / "root"))


def test_the_weights_of_a_caffe_network_are_called_like_it_or_alone(tmp_path):
    """Of several others none is taken."""
    path = tmp_path / "deploy.prototxt"
    path.touch()
    assert external_files(path) == ()
    (tmp_path / "iter_1.caffemodel").touch()
    assert external_files(path) == (tmp_path / "iter_1.caffemodel",)
    (tmp_path / "iter_2.caffemodel").touch()
    assert external_files(path) == ()
    (tmp_path / "deploy.caffemodel").touch()
    assert external_files(path) == (tmp_path / "deploy.caffemodel",)
