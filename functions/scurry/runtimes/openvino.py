"""OpenVINO IR and ONNX models, run by OpenVINO.

Each model call borrows an infer request of its own, so that lanes may run at once; results are computed in FP32, so
that an answer does not depend on the machine it was computed on.
"""

from __future__ import annotations

from collections import deque
from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    suffixes: ClassVar[tuple[str, ...]] = (".xml", ".onnx")

    def _load(self) -> None:
        core = _shared_core(self._api)
        device = self.options.device.upper() or "CPU"
        if device.partition(":")[0] not in {*core.available_devices, "AUTO", "HETERO", "MULTI"}:
            raise Failed(
                "load_failed", f"OpenVINO has no device {device} here; it has {', '.join(core.available_devices)}."
            )
        model = core.read_model(str(self.file.path))
        self.inputs = tuple(_port(each, at) for at, each in enumerate(model.inputs))
        self.outputs = tuple(_port(each, at) for at, each in enumerate(model.outputs))
        self._compiled = core.compile_model(model, device, self._settings(device))
        self._tensor = self._api.Tensor
        self._free: deque[Any] = deque()
        self.device = device.lower()

    def _settings(self, device: str) -> dict[str, Any]:
        if device != "CPU":
            return {}
        return {
            "INFERENCE_NUM_THREADS": self.threads,
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": "f32",
        }

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
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
        # OpenVINO shares only what may be written to: a single request's bytes are copied, a stacked batch is not.
        return self._tensor(array, shared_memory=array.flags.writeable and array.flags.c_contiguous)


def _shared_core(openvino: Any) -> Any:  # noqa: ANN401 - a type of a framework that may be absent
    with _lock:
        if not _core:
            _core.append(openvino.Core())
        return _core[0]


def _port(each: Any, at: int) -> Port:  # noqa: ANN401 - a type of a framework that may be absent
    shape = each.partial_shape
    if shape.rank.is_dynamic:
        raise Failed("load_failed", f"Tensor {at} of the model has no fixed number of dimensions.")
    kind = each.element_type.get_type_name()
    name = each.any_name if each.names else each.node.friendly_name
    sizes = tuple(-1 if size.is_dynamic else size.get_length() for size in shape)
    return Port(name, DATATYPES.get(kind, kind), sizes)


def _copied(tensor: Any, port: Port) -> Array:  # noqa: ANN401 - a type of a framework that may be absent
    data: Array = tensor.str_data if port.datatype == "BYTES" else tensor.data
    return data.copy()
