"""SavedModels and Keras models, run by TensorFlow.

A SavedModel has functions with signatures: `serving_default`, or the one that the option `signature` names. A Keras
file is read in safe mode: a layer that brings Python code, such as a Lambda, is refused. What a SavedModel holds are
TensorFlow's own operators, some of which read and write files: open only those of people you trust.

TensorFlow has one pool of threads for a process, sized by the first model that is opened in it.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Final

from scurry.runtimes.files import FOLDER
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scurry.wire.tensors import Array

DEFAULT: Final = "serving_default"
DATATYPES: Final = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "bfloat16": "BF16",
    "float32": "FP32",
    "float64": "FP64",
    "string": "BYTES",
}
BRANCHES: Final = frozenset({"While", "StatelessWhile", "If", "StatelessIf", "Where", "Range", "Tile", "Fill"})
"""Operators by which a graph's work depends on values."""
QUIET: Final = {"TF_CPP_MIN_LOG_LEVEL": "3", "KERAS_BACKEND": "tensorflow"}


class TensorflowRuntime(Runtime):
    """One function of TensorFlow's."""

    name: ClassVar[str] = "tensorflow"
    framework: ClassVar[str] = "TensorFlow"
    module: ClassVar[str] = "tensorflow"
    suffixes: ClassVar[tuple[str, ...]] = (FOLDER, ".keras", ".h5")
    apart: ClassVar[bool] = True  # its threads are the process's, and it is large
    takes_text: ClassVar[bool] = False
    known: ClassVar[frozenset[str]] = Runtime.known | {"signature"}

    def open(self) -> None:
        """Load, warm up and measure. Raises `load_failed`."""
        for name, value in QUIET.items():  # read when it is imported
            os.environ.setdefault(name, value)
        super().open()

    def _load(self) -> None:
        tf = self._api
        with suppress(RuntimeError):  # it has threads already
            tf.config.threading.set_intra_op_parallelism_threads(self.threads)
            tf.config.threading.set_inter_op_parallelism_threads(1)
        self.device = self._device()
        with tf.device(self.device):
            load = self._saved_model if self.file.path.is_dir() else self._keras
            inputs, self._call, outputs = load()
        self.inputs, self.outputs = tuple(map(_port, inputs)), tuple(map(_port, outputs))
        self._names = [port.name for port in self.outputs]

    def _device(self) -> str:
        device = self.options.device.lower() or "cpu"
        here = [
            each.name.removeprefix("/physical_device:").lower() for each in self._api.config.list_physical_devices()
        ]
        if device not in {*here, *(each.partition(":")[0] for each in here)}:
            raise Failed("load_failed", f"TensorFlow has no device {device} here; it has {', '.join(here)}.")
        return device

    def _saved_model(self) -> Opened:
        tf = self._api
        self._module = tf.saved_model.load(str(self.file.path))  # what it holds lives as long as this
        signatures = self._module.signatures
        name = self.options.signature or DEFAULT
        if name not in signatures:
            have = ", ".join(signatures) or "none"
            raise Failed("load_failed", f"The SavedModel has no signature {name!r}; it has {have}.")
        function = signatures[name]
        taken, given = function.structured_input_signature[1], function.structured_outputs
        self._graph, names = function.graph, sorted(taken)

        def call(*tensors: Any) -> Mapping[str, Any]:  # noqa: ANN401 - tensors of a framework that may be absent
            found: Mapping[str, Any] = function(**dict(zip(names, tensors, strict=True)))
            return found

        # By name: the file holds them in maps, which are read in another order by every process.
        return [(each, taken[each]) for each in names], call, sorted(given.items())

    def _keras(self) -> Opened:
        tf = self._api
        try:
            model = tf.keras.models.load_model(str(self.file.path), compile=False, safe_mode=True)
        except ValueError as cause:
            if "safe_mode" not in str(cause):
                raise
            sentence = f"{self.file.path} is not opened, because that could run code: a layer of it brings Python code."
            raise Failed("load_failed", sentence) from None
        if self.options.signature:
            raise Failed("load_failed", "A Keras model has no signatures: 'signature' is for SavedModels.")
        if not getattr(model, "inputs", None):
            raise Failed("load_failed", "The Keras model does not tell what it takes: save it once it was built.")
        names = [each.name.partition(":")[0] for each in model.inputs]
        # One that was read from a file was never called, and so knows no `input`.
        form = model.inputs[0] if isinstance(model, tf.keras.Sequential) else model.input
        results = _results(model)
        pack, flatten = tf.nest.pack_sequence_as, tf.nest.flatten
        taken = [tf.TensorSpec(each.shape, each.dtype, name) for each, name in zip(model.inputs, names, strict=True)]

        def call(*tensors: Any) -> Mapping[str, Any]:  # noqa: ANN401
            given = flatten(model(pack(form, list(tensors)), training=False))
            return dict(zip(results, given, strict=True))

        function = tf.function(call, input_signature=taken, autograph=False).get_concrete_function()
        self._module, self._graph = model, function.graph
        given = [(name, function.structured_outputs[name]) for name in results]
        return list(zip(names, taken, strict=True)), function, given

    def _depends(self) -> bool:
        return any(each.type in BRANCHES for each in self._graph.get_operations())

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        constant = self._api.convert_to_tensor
        given = self._call(*(constant(each) for each in arrays))
        return [given[name].numpy() for name in self._names]


Opened = tuple[list[tuple[str, Any]], "Callable[..., Mapping[str, Any]]", list[tuple[str, Any]]]
"""Inputs by name, what runs it, outputs by name."""


def _results(model: Any) -> list[str]:  # noqa: ANN401 - a type of a framework that may be absent
    """What the outputs are called: after their layers, which a Sequential does not say; of one layer's several with
    numbers, the first without.
    """
    known: list[str] = list(getattr(model, "output_names", None) or [model.layers[-1].name] * len(model.outputs))
    found: list[str] = []
    for name in known:
        free = (name, *(f"{name}_{at}" for at in range(1, len(known) + 1)))
        found.append(next(each for each in free if each not in found and (each == name or each not in known)))
    return found


def _port(entry: tuple[str, Any]) -> Port:
    name, spec = entry
    if not hasattr(spec, "dtype") or not hasattr(spec, "shape"):
        raise Failed("load_failed", f"{name!r} of the model is a {type(spec).__name__}, not a tensor.")
    if spec.shape.rank is None:
        raise Failed("load_failed", f"{name!r} of the model has no fixed number of dimensions.")
    shape = tuple(-1 if size is None else int(size) for size in spec.shape)
    return Port(name, DATATYPES.get(spec.dtype.name, spec.dtype.name), shape)
