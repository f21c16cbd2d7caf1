"""ONNX models, run by onnxruntime.

Threads. onnxruntime's shared ("global") thread pool cannot be told from Python to stop spinning: after each run of a
model that uses it, it burns a core for 5 ms (measured, onnxruntime 1.32). So a small model gets no pool at all, runs
on the calling thread and costs no thread however many there are; a large one (by file, or by the time its warm-up
took) gets a pool of its own that does not spin. Small models also do without a memory arena: 87 KiB each, not 125.
"""

from __future__ import annotations

import ctypes
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from scurry.runtimes.onnx_settings import apply
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.wire.errors import Failed
from scurry.wire.tensors import BF16

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.wire.tensors import Array

SMALL_BYTES = 1 << 20
"""Files below this are opened without threads first."""
SLOW_SECONDS = 0.001
"""A small file whose full batch takes longer than this is opened again, with threads."""

DATATYPES = {
    "tensor(bool)": "BOOL",
    "tensor(uint8)": "UINT8",
    "tensor(uint16)": "UINT16",
    "tensor(uint32)": "UINT32",
    "tensor(uint64)": "UINT64",
    "tensor(int8)": "INT8",
    "tensor(int16)": "INT16",
    "tensor(int32)": "INT32",
    "tensor(int64)": "INT64",
    "tensor(float16)": "FP16",
    "tensor(bfloat16)": "BF16",
    "tensor(float)": "FP32",
    "tensor(double)": "FP64",
    "tensor(string)": "BYTES",
}
LISTS_OF_MAPS = ("seq(map(int64,tensor(float)))", "seq(map(string,tensor(float)))")
"""What scikit-learn's classifiers give by default."""
MAPS = "Output {!r} is a list of maps: it is answered as a row for each, in the order of the keys."
BFLOAT16 = 16
"""Its number in onnx.proto."""
PROVIDERS = {
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "tensorrt": "TensorrtExecutionProvider",
    "openvino": "OpenVINOExecutionProvider",
    "rocm": "ROCMExecutionProvider",
    "coreml": "CoreMLExecutionProvider",
}


class OnnxRuntime(Runtime):
    """One onnxruntime session."""

    name: ClassVar[str] = "onnx"
    framework: ClassVar[str] = "onnxruntime"
    module: ClassVar[str] = "onnxruntime"
    suffixes: ClassVar[tuple[str, ...]] = (".onnx", ".ort")
    known: ClassVar[frozenset[str]] = Runtime.known | {"providers", "parameters"}
    _threads_used = 0

    def _load(self) -> None:
        small = self.file.bytes < SMALL_BYTES and self._threads_used <= 1
        self._start(1 if small and not self.options.threads else self.threads, arena=not small)

    def _warm_up(self) -> None:
        super()._warm_up()
        if self._threads_used < self.threads and self.seconds > SLOW_SECONDS:
            self._start(self.threads, arena=True)
            super()._warm_up()

    def _start(self, threads: int, *, arena: bool) -> None:
        settings = self._api.SessionOptions()
        settings.intra_op_num_threads = threads
        settings.inter_op_num_threads = 1
        settings.enable_cpu_mem_arena = arena
        settings.log_severity_level = 4
        settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
        idle = apply(self._api, settings, self.options.parameters)
        self.notes = (f"{', '.join(idle)} in parameters without effect here.",) if idle else ()
        providers = self._providers(self._api.get_available_providers())
        self._session = self._api.InferenceSession(
            str(self.file.path), settings, providers=providers, enable_fallback=0
        )
        self._threads_used = threads
        self.device = ",".join(_device(each) for each in self._session.get_providers()[:1])
        self.inputs = tuple(_port(each) for each in self._session.get_inputs())
        self.outputs = tuple(_port(each) for each in self._session.get_outputs())
        self.notes += tuple(
            MAPS.format(each.name) for each in self._session.get_outputs() if each.type in LISTS_OF_MAPS
        )
        self._plain = not any(port.datatype == "BF16" for port in (*self.inputs, *self.outputs))
        self._input_names = [port.name for port in self.inputs]
        self._output_names = [port.name for port in self.outputs]

    def _providers(self, available: Sequence[str]) -> list[Any]:
        device = self.options.device.lower() or "cpu"
        wanted = list(self.options.providers) or [PROVIDERS.get(device, self.options.device)]
        names = [each if isinstance(each, str) else each[0] for each in wanted]
        missing = [each for each in names if each not in available]
        if missing:
            raise Failed("load_failed", f"onnxruntime has no {', '.join(missing)} here; it has {', '.join(available)}.")
        return wanted

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        if not self._plain:
            return self._run_values(arrays)
        given: list[Any] = self._session.run(self._output_names, dict(zip(self._input_names, arrays, strict=True)))
        return [each if isinstance(each, np.ndarray) else _tensor(each) for each in given]

    def _run_values(self, arrays: Sequence[Array]) -> list[Array]:
        """BF16 goes in and out as raw memory: onnxruntime knows no array of it."""
        value = self._api.OrtValue
        feed = {
            name: value.ortvalue_from_numpy_with_onnx_type(np.array(each.view(np.uint16)), BFLOAT16)
            if each.dtype == BF16
            else value.ortvalue_from_numpy(each)
            for name, each in zip(self._input_names, arrays, strict=True)
        }
        return [_unwrapped(each) for each in self._session.run_with_ort_values(self._output_names, feed)]


def _port(each: Any) -> Port:  # noqa: ANN401 - a type of a framework that may be absent
    if each.type in LISTS_OF_MAPS:
        return Port(each.name, "FP32", (-1, -1))
    kind = each.type.removeprefix("optional(").replace("))", ")")
    if kind not in DATATYPES:
        raise Failed(
            "load_failed",
            f"{each.name!r} of the model is a {each.type}; only tensors of numbers, bools and strings can be served, "
            "and lists of maps to floats.",
        )
    shape = tuple(size if isinstance(size, int) and size >= 0 else -1 for size in each.shape)
    return Port(each.name, DATATYPES[kind], shape)


def _tensor(value: Any) -> Array:  # noqa: ANN401 - what onnxruntime makes of other types
    """A list of maps as rows, in the order of the keys. Raises for an optional output that is not there."""
    if not isinstance(value, list):
        raise TypeError("an optional output was left out")
    keys = sorted(value[0]) if value else []
    return np.array([[row[key] for key in keys] for row in value], np.float32).reshape(len(value), len(keys))


def _unwrapped(value: Any) -> Array:  # noqa: ANN401 - a type of a framework that may be absent
    """A copy of an output."""
    if value.element_type() != BFLOAT16:
        array: Array = value.numpy()
        return array
    size = value.tensor_size_in_bytes()
    raw = ctypes.string_at(value.data_ptr(), size) if size else b""
    return np.frombuffer(raw, BF16).reshape(value.shape())


def _device(provider: str) -> str:
    return next((device for device, name in PROVIDERS.items() if name == provider), provider)
