"""OpenVINO IR and what OpenVINO reads of other frameworks, run by it.

These are ONNX, TensorFlow (SavedModel's default signature and frozen graphs), TFLite and Paddle. Each model call
borrows an infer request of its own, so that lanes may run at once.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from scurry.runtimes.files import FOLDER
from scurry.runtimes.openvino_settings import properties, shapes
from scurry.runtimes.openvino_shapes import ShapeCheck
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed
from scurry.wire.tensors import BF16

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from scurry.wire.tensors import Array

DATATYPES = {
    "boolean": "BOOL",
    "u8": "UINT8",
    "u16": "UINT16",
    "u32": "UINT32",
    "u64": "UINT64",
    "i8": "INT8",
    "i16": "INT16",
    "i32": "INT32",
    "i64": "INT64",
    "f16": "FP16",
    "bf16": "BF16",
    "f32": "FP32",
    "f64": "FP64",
    "string": "BYTES",
}

_lock = Lock()
_core: list[Any] = []


class OpenvinoRuntime(Runtime):
    """One compiled model and the infer requests made for it so far."""

    name: ClassVar[str] = "openvino"
    framework: ClassVar[str] = "OpenVINO"
    module: ClassVar[str] = "openvino"
    suffixes: ClassVar[tuple[str, ...]] = (*(".xml", ".onnx", FOLDER, ".graphdef", ".pb", ".tflite", ".pdmodel"),)
    known: ClassVar[frozenset[str]] = Runtime.known | {"parameters", "reshape", "cache_dir"}

    def _load(self) -> None:
        core = _shared_core(self._api)
        device = self.options.device.upper() or "CPU"
        if device.partition(":")[0] not in {*core.available_devices, "AUTO", "HETERO", "MULTI"}:
            raise Failed(
                "load_failed", f"OpenVINO has no device {device} here; it has {', '.join(core.available_devices)}."
            )
        settings, idle = properties(self.options, device, self.threads, self.file.path.parent)
        self.notes = (f"{', '.join(idle)} in parameters without effect here.",) if idle else ()
        model = core.read_model(str(self.file.path))
        stated = {str(each.get("name")) for each in (*self.options.input, *self.options.output)}
        if self.options.reshape:
            named = {_name(each, stated): each for each in model.inputs}
            model.reshape(shapes(self.options.reshape, named))
        self.inputs = tuple(_port(each, at, stated) for at, each in enumerate(model.inputs))
        self.outputs = tuple(_port(each, at, stated) for at, each in enumerate(model.outputs))
        self._shapes = ShapeCheck(self._api, model, self.inputs)
        self._compiled = core.compile_model(model, device, settings)
        self._tensor = self._api.Tensor
        self._free: deque[Any] = deque()
        self.device = device.lower()

    def run_guess(self, arrays: Sequence[Array]) -> list[Array]:
        # A size that such a model cannot be run with is no error to OpenVINO (2026.4): it gives an output without
        # elements and writes where it must not, so that a later run ends the process.
        free = next((port.name for port in self.inputs if any(size < 0 for size in port.shape[1:])), None)
        if free is not None:
            sentence = (
                f"OpenVINO is not tried with sizes that are guesses, as those of {free!r} are: state model_warmup."
            )
            raise Failed("model_failed", sentence)
        return super().run_guess(arrays)

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        self._shapes.check(arrays)
        free = self._free
        try:
            request = free.pop()
        except IndexError:
            request = self._compiled.create_infer_request()
        for at, array in enumerate(arrays):
            request.set_input_tensor(at, self._wrapped(array, self.inputs[at]))
        request.infer()
        # Copies: the request's own memory is overwritten by its next run.
        outputs = [_copied(request.get_output_tensor(at), port) for at, port in enumerate(self.outputs)]
        free.append(request)  # one that failed is not used again: it may keep what made it fail
        return outputs

    def _wrapped(self, array: Array, port: Port) -> Any:  # noqa: ANN401 - a type of a framework that may be absent
        if port.datatype == "BYTES":
            return self._tensor(array.astype(np.str_))
        if port.datatype == "BF16":  # numbers that numpy does not have are given as raw memory
            return self._tensor(np.array(array.view(np.uint16)), array.shape, self._api.Type.bf16)
        # OpenVINO shares only what may be written to: a single request's bytes are copied, a stacked batch is not.
        return self._tensor(array, shared_memory=array.flags.writeable and array.flags.c_contiguous)


def _shared_core(openvino: Any) -> Any:  # noqa: ANN401 - a type of a framework that may be absent
    with _lock:
        if not _core:
            _core.append(openvino.Core())
        return _core[0]


def _port(each: Any, at: int, stated: Collection[str]) -> Port:  # noqa: ANN401 - a type of a framework that may be absent
    shape = each.partial_shape
    if shape.rank.is_dynamic:
        raise Failed("load_failed", f"Tensor {at} of the model has no fixed number of dimensions.")
    kind = each.element_type.get_type_name()
    sizes = tuple(-1 if size.is_dynamic else size.get_length() for size in shape)
    return Port(_name(each, stated), DATATYPES.get(kind, kind), sizes)


def _name(each: Any, stated: Collection[str]) -> str:  # noqa: ANN401 - a type of a framework that may be absent
    """Of a tensor's several names the one that the config states, else the same in every process."""
    names: set[str] = {name.removesuffix(":0") for name in each.names} or {each.node.friendly_name}
    return min(names & set(stated) or names, key=lambda name: (":" in name, name))


def _copied(tensor: Any, port: Port) -> Array:  # noqa: ANN401 - a type of a framework that may be absent
    data: Array = tensor.str_data if port.datatype == "BYTES" else tensor.data
    return data.copy().view(BF16) if port.datatype == "BF16" else data.copy()
