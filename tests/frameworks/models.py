"""Small real models, each made by its own framework."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any


def torch_net() -> Any:
    """A network of a few numbers, the same each time."""
    import torch

    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)).eval()


def torchscript(path: Path, net: Any = None) -> Path:
    """The network as TorchScript."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net or torch_net()).save(str(path))
    return path


def exported(path: Path, net: Any = None, *examples: Any, shapes: Any = None) -> Path:
    """The network as an exported program, its rows free."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    given = examples or (torch.zeros(2, 4),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free = shapes or tuple({0: torch.export.Dim("n")} for _ in given)
        torch.export.save(torch.export.export(net or torch_net(), given, dynamic_shapes=free), str(path))
    return path


def keras_net() -> Any:
    """A network of a few numbers, with two inputs named against the alphabet."""
    import keras

    keras.utils.set_random_seed(3)
    wide, small = keras.Input((4,), name="wide"), keras.Input((2,), name="small")
    joined = keras.layers.Concatenate()([wide, small])
    both = [
        keras.layers.Dense(3, activation="softmax", name="classes")(joined),
        keras.layers.Dense(1, name="score")(wide),
    ]
    return keras.Model([wide, small], both)


def saved_model(path: Path) -> Path:
    """Two functions: one of numbers, one of texts."""
    import tensorflow as tf

    class Functions(tf.Module):
        def __init__(self) -> None:
            self.weights = tf.Variable(tf.reshape(tf.range(12, dtype=tf.float32), (4, 3)))

        @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
        def scores(self, x: Any) -> dict[str, Any]:
            return {"scores": tf.matmul(x, self.weights), "best": tf.argmax(tf.matmul(x, self.weights), axis=1)}

        @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="text")])
        def lengths(self, text: Any) -> dict[str, Any]:
            return {"lengths": tf.strings.length(text), "twice": text + text}

    functions = Functions()
    signatures = {"serving_default": functions.scores, "lengths": functions.lengths}
    tf.saved_model.save(functions, str(path), signatures=signatures)
    return path


def frozen(path: Path) -> Any:
    """A function whose weights lie in its graph, as a GraphDef or for TFLite, by the suffix; the function."""
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    weights = tf.reshape(tf.range(12, dtype=tf.float32), (4, 3))

    @tf.function(input_signature=[tf.TensorSpec([None, 4], tf.float32, name="x")])
    def scores(x: Any) -> Any:
        return tf.identity(tf.nn.relu(tf.matmul(x, weights)), name="y")

    function = scores.get_concrete_function()
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".tflite":
        path.write_bytes(tf.lite.TFLiteConverter.from_concrete_functions([function]).convert())
    else:
        path.write_bytes(convert_variables_to_constants_v2(function).graph.as_graph_def().SerializeToString())
    return scores
