"""SavedModels and Keras models, as TensorFlow itself answers them."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pytest
from tests.frameworks.models import keras_net, saved_model
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.catalog import runtime_class
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec
from scurry.wire.tensors import DTYPES

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras of numpy, which is newer
ROWS = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)
SMALL = np.random.default_rng(2).standard_normal((5, 2)).astype(np.float32)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A SavedModel that is only read."""
    return saved_model(tmp_path_factory.mktemp("saved") / "scores")


def opened(path, **config):
    """The model in that file or directory."""
    return open_model("m", "1", ModelSpec(uri=str(path), config=json.dumps(config)), threads=2)


def test_a_saved_model_says_what_it_takes(folder):
    """Its default signature, stacked, and equal to TensorFlow's own answer."""
    model = opened(folder)
    assert (model.name, model.device, model.batched, model.warnings) == ("tensorflow", "cpu", True, [])
    assert model.inputs == (Port("x", "FP32", (-1, 4)),)
    assert model.outputs == (Port("best", "INT64", (-1,)), Port("scores", "FP32", (-1, 3)))
    theirs = tf.saved_model.load(str(folder)).signatures["serving_default"](x=tf.constant(ROWS))
    for port, ours in zip(model.outputs, model.run([ROWS]), strict=True):
        np.testing.assert_array_equal(ours, theirs[port.name].numpy())


def test_another_signature_may_be_named(folder):
    """Elements of BYTES are bytes, whatever is in them."""
    model = opened(folder, signature="lengths")
    lengths, twice = model.run([np.array([b"ab", b"\xff\xfe\x00"], object)])
    assert (lengths.tolist(), twice.tolist()) == ([2, 3], [b"abab", b"\xff\xfe\x00\xff\xfe\x00"])
    with pytest.raises(Failed, match="no signature 'wing'; it has serving_default, lengths"):
        opened(folder, signature="wing")


@pytest.mark.parametrize("place", ["m/1/model.savedmodel", "m/1/saved_model", "m/1", "m/1/anything"])
def test_a_repository_is_served_as_it_lies(folder, tmp_path, place):
    """Triton's, TensorFlow Serving's and ours; the config beside it counts."""
    shutil.copytree(folder, tmp_path / place)
    beside = tmp_path / "m" / "config.pbtxt"
    beside.write_text('platform: "tensorflow_savedmodel" max_batch_size: 7')
    uri = tmp_path / place if place.endswith("anything") else tmp_path
    assert opened(uri).max_batch_size == (32 if place.endswith("anything") else 7)


def test_every_file_of_it_is_part_of_it(folder, tmp_path):
    """Weights that change are another model."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    model = opened(copy)
    assert {each.name for each in model.file.parts} >= {"saved_model.pb", "variables.index"}
    next(copy.rglob("variables.data*")).unlink()
    with pytest.raises(Failed, match="TensorFlow cannot open") as caught:
        opened(copy)
    assert "\n" not in caught.value.message


def test_a_saved_model_that_is_none_is_refused(folder, tmp_path):
    """Truncated, or of another kind."""
    copy = shutil.copytree(folder, tmp_path / "copy")
    graph = copy / "saved_model.pb"
    for content in (graph.read_bytes()[:500], b"hello"):
        graph.write_bytes(content)
        with pytest.raises(Failed) as caught:
            opened(copy)
        assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_keras_files_are_served(tmp_path, name):
    """Inputs and outputs in the model's own order and under its names."""
    net = keras_net()
    net.save(tmp_path / name)
    model = opened(tmp_path / name)
    assert model.inputs == (Port("wide", "FP32", (-1, 4)), Port("small", "FP32", (-1, 2)))
    assert model.outputs == (Port("classes", "FP32", (-1, 3)), Port("score", "FP32", (-1, 1)))
    assert model.batched
    for ours, theirs in zip(model.run([ROWS, SMALL]), net([ROWS, SMALL], training=False), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_a_sequential_keras_file_is_served(tmp_path, name):
    """Its one output is called after its last layer."""
    import keras

    net = keras.Sequential([keras.Input((4,), name="x"), keras.layers.Dense(3, name="last")])
    net.save(tmp_path / name)
    model = opened(tmp_path / name)
    assert model.outputs == (Port("last", "FP32", (-1, 3)),)
    assert model.batched
    np.testing.assert_allclose(model.run([ROWS])[0], net(ROWS, training=False).numpy(), rtol=1e-6)


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_outputs_of_one_layer_are_told_apart(tmp_path, name):
    """They have one name in the file; none is answered in place of another."""
    import keras

    given = keras.Input((5, 3), name="x")
    net = keras.Model(given, list(keras.layers.LSTM(4, return_state=True, name="steps")(given)))
    net.save(tmp_path / name)
    model = opened(tmp_path / name)
    assert [port.name for port in model.outputs] == ["steps", "steps_1", "steps_2"]
    rows = np.random.default_rng(4).standard_normal((2, 5, 3)).astype(np.float32)
    for ours, theirs in zip(model.run([rows]), net(rows, training=False), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_a_lambda_layer_is_refused(tmp_path, name):
    """It would run Python of the file's."""
    import keras

    keras.Sequential([keras.Input((4,)), keras.layers.Lambda(lambda x: x * 2)]).save(tmp_path / name)
    with pytest.raises(Failed, match="is not opened, because that could run code: a layer of it brings Python code"):
        opened(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "config", "sentence"),
    [
        (b"no zip", {}, "TensorFlow cannot open"),
        (None, {"device": "gpu"}, "TensorFlow has no device gpu here; it has cpu:0"),
        (None, {"signature": "x"}, "A Keras model has no signatures"),
        (None, {"wings": 1}, "knows no option 'wings'"),
    ],
)
def test_what_does_not_fit_fails_the_load(tmp_path, content, config, sentence):
    """A file of another kind, a device, an option."""
    path = tmp_path / "net.keras"
    keras_net().save(path)
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Failed, match=sentence) as caught:
        opened(path, **config)
    assert (caught.value.code, "\n" in caught.value.message) == ("load_failed", False)


@pytest.mark.parametrize("datatype", sorted(DTYPES))
def test_every_datatype_goes_in_and_comes_out(tmp_path, datatype):
    """BF16 as well, and scalars."""

    class Same(tf.Module):
        @tf.function(
            input_signature=[tf.TensorSpec([None, 2], DTYPES[datatype], name="x"), tf.TensorSpec([], tf.int32)]
        )
        def same(self, x, scalar):
            return {"y": tf.identity(x), "z": scalar + 1}

    tf.saved_model.save(Same(), str(tmp_path / "m"), signatures=Same().same)
    model = opened(tmp_path / "m")
    given = np.array([[1, 0]], DTYPES[datatype])
    by_name = {"x": given}
    outputs = model.run([by_name.get(port.name, np.array(4, np.int32)) for port in model.inputs])
    assert model.outputs[0] == Port("y", datatype, (-1, 2))
    assert (outputs[0].dtype, outputs[0].tolist(), outputs[1].tolist()) == (DTYPES[datatype], given.tolist(), 5)


def test_it_asks_for_a_process_of_its_own():
    """Its threads are the process's."""
    assert runtime_class("tensorflow").apart
