"""Caffe networks (`.prototxt` and `.caffemodel`), run by OpenCV's dnn.

A network keeps its inputs and outputs in itself, so runs of one take turns. The names of outputs are those of the last
layers, or of any layers that the config's `outputs` name; all is FP32.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, ClassVar

from scurry.runtimes.declared import declared_inputs, declared_outputs
from scurry.runtimes.port import Port
from scurry.runtimes.prototxt import inputs_in
from scurry.runtimes.runtime import Runtime
from scurry.runtimes.trials import outputs_of
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.wire.tensors import Array


class OpencvRuntime(Runtime):
    """One network."""

    name: ClassVar[str] = "opencv"
    framework: ClassVar[str] = "OpenCV"
    module: ClassVar[str] = "cv2"
    suffixes: ClassVar[tuple[str, ...]] = (".prototxt",)
    known: ClassVar[frozenset[str]] = Runtime.known | {"inputs", "outputs"}

    def _load(self) -> None:
        cv2 = self._api
        if self.options.device.lower() not in {"", "cpu"}:
            raise Failed("load_failed", f"OpenCV has no device {self.options.device} here; it has cpu.")
        if not hasattr(cv2.dnn, "readNetFromCaffe"):
            raise Failed("load_failed", f"OpenCV {cv2.__version__} reads no Caffe networks: use one from 4.8, below 5.")
        if not self.file.external:
            raise Failed("load_failed", f"There is no .caffemodel beside {self.file.path}, or there are several.")
        cv2.setNumThreads(self.threads)
        self.inputs = declared_inputs(self.options) or self._told()
        self._turn = Lock()
        self._net = cv2.dnn.readNetFromCaffe(str(self.file.path), str(self.file.external[0]))
        self._names = [port.name for port in declared_outputs(self.options)] or self._last_layers()
        unknown = [each for each in self._names if self._net.getLayerId(each) < 0]
        if unknown:
            raise Failed("load_failed", f"The network has no layer {unknown[0]!r}, which the config states as output.")
        self.outputs = self._tried()

    def _told(self) -> tuple[Port, ...]:
        try:
            told = inputs_in(self.file.path.read_text(encoding="utf-8", errors="replace"))
        except ValueError as cause:
            raise Failed("load_failed", f"{self.file.path} does not tell what it takes: {cause}.") from None
        if not told or not all(shape for _, shape in told):
            sentence = f"{self.file.path} names no input with its shape: state it in the config, as 'inputs'."
            raise Failed("load_failed", sentence)
        return tuple(Port(name, "FP32", shape) for name, shape in told)

    def _last_layers(self) -> list[str]:
        return list(self._net.getUnconnectedOutLayersNames())

    def _tried(self) -> tuple[Port, ...]:
        try:
            found = outputs_of(self._run, self.inputs)
        except self._api.error as cause:
            shapes = ", ".join(f"{port.name} {list(port.shape)}" for port in self.inputs)
            raise Failed("load_failed", f"The network cannot be run with {shapes}: {cause}") from None
        return tuple(Port(name, port.datatype, port.shape) for name, port in zip(self._names, found, strict=True))

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        with self._turn:
            for port, array in zip(self.inputs, arrays, strict=True):
                self._net.setInput(array, port.name)
            outputs: Sequence[Any] = self._net.forward(self._names)
            return [each.copy() for each in outputs]  # the network's own memory is overwritten by its next run
