"""What OpenVINO reads of TensorFlow's, as TensorFlow answers it."""

from __future__ import annotations

import json

import numpy as np
import pytest
from tests.frameworks.models import frozen, saved_model
from tests.unit.runtimes.opened import open_model

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec

tf = pytest.importorskip("tensorflow")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
ROWS = np.random.default_rng(1).standard_normal((5, 4)).astype(np.float32)


def opened(path, runtime="openvino", **config):
    """The model in that file or directory."""
    return open_model("m", "1", ModelSpec(uri=str(path), runtime=runtime, config=json.dumps(config)))


def test_a_saved_model(tmp_path):
    """Its default signature."""
    path = saved_model(tmp_path / "1" / "model.savedmodel")
    theirs = tf.saved_model.load(str(path)).signatures["serving_default"](x=tf.constant(ROWS))
    model = opened(tmp_path)
    assert (model.inputs, model.batched) == ((Port("x", "FP32", (-1, 4)),), True)
    for port, ours in zip(model.outputs, model.run([ROWS]), strict=True):
        np.testing.assert_allclose(ours, theirs[port.name].numpy(), rtol=1e-5)


@pytest.mark.parametrize("name", ["frozen.pb", "model.graphdef", "net.tflite"])
def test_graphs_with_their_weights(tmp_path, name):
    """Found by their suffix; outputs are called as the config says."""
    scores = frozen(tmp_path / name)
    model = opened(tmp_path, runtime="")
    assert (model.name, model.inputs, model.batched) == ("openvino", (Port("x", "FP32", (-1, 4)),), True)
    np.testing.assert_allclose(model.run([ROWS])[0], scores(tf.constant(ROWS)).numpy(), rtol=1e-5)
    if name != "net.tflite":
        assert opened(tmp_path, output=[{"name": "y"}]).outputs[0].name == "y"


def test_triton_calls_it_a_graphdef(tmp_path):
    """A repository is served as it lies."""
    scores = frozen(tmp_path / "m" / "1" / "model.graphdef")
    (tmp_path / "m" / "config.pbtxt").write_text(
        'platform: "tensorflow_graphdef" max_batch_size: 8 output [ { name: "y" data_type: TYPE_FP32 dims: [ 3 ] } ]'
    )
    model = opened(tmp_path, runtime="")
    assert ([port.name for port in model.outputs], model.max_batch_size) == (["y"], 8)
    np.testing.assert_allclose(model.run([ROWS])[0], scores(tf.constant(ROWS)).numpy(), rtol=1e-5)


def test_an_operator_that_it_has_not_is_named(tmp_path):
    """TensorFlow runs it, OpenVINO does not."""

    class Rare(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="t")])
        def rare(self, t):
            return {"y": tf.strings.to_hash_bucket_strong(t, 7, [1, 2])}

    tf.saved_model.save(Rare(), str(tmp_path / "m"), signatures=Rare().rare)
    with pytest.raises(Failed, match="StringToHashBucketStrong"):
        opened(tmp_path / "m")
    assert opened(tmp_path / "m", runtime="tensorflow").run([np.array([b"a"], object)])[0].shape == (1,)
