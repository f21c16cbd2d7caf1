"""PyTorch models, TorchScript and exported programs, run by torch.

An exported program says what it takes. TorchScript only names its arguments: types and shapes come from the config, or,
for a model of one input, from its first weights and a trial, and outputs from a trial always. Inputs are copied: a
model may write into them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from scurry.runtimes.declared import declared_outputs, placed
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import Runtime
from scurry.runtimes.torch_programs import DATATYPES, Exported, Program, Script
from scurry.runtimes.trials import outputs_of
from scurry.wire.errors import Failed
from scurry.wire.tensors import DTYPES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scurry.wire.tensors import Array

EXAMPLE: Final = '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3, 224, 224]}]}'
IMAGES: Final = (-1, 224, 32, 28, 64)
"""Heights and widths that are tried for a model that begins with a convolution; -1: any."""


class TorchRuntime(Runtime):
    """One program of PyTorch's."""

    name: ClassVar[str] = "torch"
    framework: ClassVar[str] = "PyTorch"
    module: ClassVar[str] = "torch"
    suffixes: ClassVar[tuple[str, ...]] = (".pt", ".pt2", ".pth", ".ts")
    known: ClassVar[frozenset[str]] = Runtime.known | {"inputs", "outputs"}
    program: Program
    _wanted: Sequence[int] = ()

    def _load(self) -> None:
        self.device = self._device()
        self.program = self._opened()
        self.inputs = self.program.inputs
        self._wanted = ()
        if not self.inputs:
            self.inputs = self._inferred()
        self.outputs = self._named(self.program.outputs or self._tried())

    def _depends(self) -> bool:
        return self.program.depends

    def _opened(self) -> Program:
        if self.file.path.suffix == ".pt2":
            return Exported(self._api, self.file.path, self.device)
        return Script(self._api, self.file.path, self.device, self.options)

    def _device(self) -> str:
        device = self.options.device.lower() or "cpu"
        here = ["cpu", *(f"cuda:{at}" for at in range(self._api.cuda.device_count()))]
        if self._api.backends.mps.is_available():
            here.append("mps")
        if device not in (*here, *(each.partition(":")[0] for each in here)):
            raise Failed("load_failed", f"PyTorch has no device {device} here; it has {', '.join(here)}.")
        return device

    def _inferred(self) -> tuple[Port, ...]:
        """What a model of one input takes, guessed by its first weights and shown by a trial."""
        program = self.program
        assert isinstance(program, Script)
        for port in _guesses(program):
            program.assume([port])
            try:
                outputs_of(self._run, [port])
            except (RuntimeError, Failed):
                continue
            self.notes = (
                f"The config states no inputs: {port.name!r} is taken to be {port.datatype} {list(port.shape)}.",
            )
            return (port,)
        sentence = (
            f"TorchScript does not tell what {', '.join(program.arguments) or 'it'} takes: state it in the config, "
        )
        raise Failed("load_failed", f"{sentence}for instance {EXAMPLE}.")

    def _tried(self) -> tuple[Port, ...]:
        try:
            return outputs_of(self._run, self.inputs)
        except RuntimeError as cause:
            lines = [line for line in str(cause).splitlines() if line.strip()]
            shapes = ", ".join(f"{port.name} {port.datatype} {list(port.shape)}" for port in self.inputs)
            raise Failed(
                "load_failed", f"The model cannot be run with {shapes}: {lines[-1] if lines else cause}"
            ) from None

    def _named(self, outputs: tuple[Port, ...]) -> tuple[Port, ...]:
        """The outputs as the config calls them; those that it does not name are left out."""
        keys = self.program.keys
        if len(keys) == len(outputs):
            outputs = tuple(Port(key, port.datatype, port.shape) for key, port in zip(keys, outputs, strict=True))
        stated = declared_outputs(self.options)
        places = placed(stated, [port.name for port in outputs])
        wrong = next((port.name for port, at in zip(stated, places, strict=True) if at >= len(outputs)), None)
        if wrong is not None:
            raise Failed("load_failed", f"The config states an output {wrong!r}; the model gives {len(outputs)}.")
        self._wanted = places or range(len(outputs))
        names = [port.name for port in stated] or [port.name for port in outputs]
        found = [outputs[at] for at in self._wanted]
        return tuple(Port(name, port.datatype, port.shape) for name, port in zip(names, found, strict=True))

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        torch = self._api
        torch.set_num_threads(self.threads)  # each thread that runs a model has a count of its own
        with torch.inference_mode():
            given = self.program([_tensor(torch, each, self.device) for each in arrays])
        outputs = [_array(torch, each) for each in given]
        return [outputs[at] for at in self._wanted] if self._wanted else outputs


def _guesses(program: Script) -> Iterator[Port]:
    """What a model of one argument may take, by its first weights."""
    weights = next((each for each in program.module.parameters() if each.dim() > 1), None)
    if len(program.arguments) != 1 or weights is None:
        return
    name, datatype, sizes = program.arguments[0], DATATYPES[str(weights.dtype)], list(weights.shape)
    if len(sizes) == 4:
        yield from (Port(name, datatype, (-1, sizes[1], size, size)) for size in IMAGES)
    elif len(sizes) == 2:
        yield Port(name, datatype, (-1, sizes[1]))
        yield Port(name, datatype, (-1, -1, sizes[1]))
        yield Port(name, "INT64", (-1, -1))
    else:
        yield Port(name, datatype, (-1, sizes[1], *(-1 for _ in sizes[2:])))


def _tensor(torch: Any, array: Array, device: str) -> Any:  # noqa: ANN401 - a type of a framework that may be absent
    if array.dtype == DTYPES["BF16"]:
        return torch.tensor(array.view(np.int16), device=device).view(torch.bfloat16)
    return torch.tensor(array, device=device)


def _array(torch: Any, tensor: Any) -> Array:  # noqa: ANN401 - a type of a framework that may be absent
    tensor = tensor.detach().cpu()
    if tensor.dtype == torch.bfloat16:
        raw: Array = tensor.contiguous().view(torch.int16).numpy()
        return raw.view(DTYPES["BF16"])
    array: Array = tensor.numpy()
    return array
