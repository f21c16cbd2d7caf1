"""The two kinds of PyTorch programs: TorchScript and exported programs.

Each says what it takes and gives as far as its file tells, and is called with a tensor for each input.
"""

from __future__ import annotations

import os
import warnings
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Protocol

from scurry.runtimes.declared import declared_inputs, placed
from scurry.runtimes.exported import refuse_code
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from scurry.runtimes.options import Options

BRANCHES: Final = ("prim::Loop", "prim::If", "aten::nonzero", "aten::repeat", "aten::arange")
"""What makes a graph's work depend on values."""


TENSORS_ONLY: Final = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
"""A variable that torch asks for each time."""
_loading: Final = Lock()


class Program(Protocol):
    """A program that is open. `inputs` and `outputs` are empty where the file does not tell."""

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    keys: tuple[str, ...]  # what its outputs are called, if it gives them by name, once it ran
    depends: bool

    def __call__(self, tensors: Sequence[Any]) -> list[Any]:
        """Run it once: a list of tensors in, a list of tensors out."""


class Script:
    """TorchScript: its own interpreter runs it, no Python of the file's."""

    outputs: tuple[Port, ...] = ()
    keys: tuple[str, ...] = ()

    def __init__(self, torch: Any, path: Path, device: str, options: Options) -> None:  # noqa: ANN401
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # it is deprecated for those who write new models
            try:
                self.module = torch.jit.load(str(path), map_location=device)
            except RuntimeError as cause:
                raise Failed("load_failed", _no_script(path, str(cause))) from None
        self.module.eval()
        self.arguments: list[str] = [each.name for each in self.module.forward.schema.arguments[1:]]
        for each in self.module.forward.schema.arguments[1:]:
            if str(each.type) != "Tensor" and not each.has_default_value():
                raise Failed("load_failed", f"Input {each.name!r} of the model is a {each.type}, not a tensor.")
        self.inputs = declared_inputs(options)
        self._take([self._argument(at) for at in placed(self.inputs, self.arguments)])
        self.depends = any(name in str(self.module.inlined_graph) for name in BRANCHES)

    def assume(self, inputs: Sequence[Port]) -> None:
        """Take these for the inputs, in the order of the arguments."""
        self.inputs = tuple(inputs)
        self._take(self.arguments[: len(inputs)])

    def _take(self, names: list[str]) -> None:
        self._names = names

    def _argument(self, at: int) -> str:
        if at >= len(self.arguments):
            raise Failed("load_failed", f"The config states an input {at}; the model takes {len(self.arguments)}.")
        return self.arguments[at]

    def __call__(self, tensors: Sequence[Any]) -> list[Any]:
        """Run it once."""
        result = self.module(**dict(zip(self._names, tensors, strict=True)))
        self.keys = _keys(result)
        return list(_flat(result))


class Exported:
    """What torch.export wrote: a graph of operators, with names, types and shapes."""

    def __init__(self, torch: Any, path: Path, device: str) -> None:  # noqa: ANN401
        refuse_code(path)
        with _tensors_only():
            program = torch.export.load(str(path))
        if device != "cpu":
            program = torch.export.passes.move_to_device_pass(program, device)
        self._unflatten = torch.utils._pytree.tree_unflatten
        self._spec, self._module = program.call_spec.in_spec, program.module()
        values = {node.name: node.meta.get("val") for node in program.graph.nodes}
        taken = [each.arg for each in program.graph_signature.input_specs if each.kind.name == "USER_INPUT"]
        self._constants = [getattr(each, "value", None) for each in taken]
        self._places = [at for at, each in enumerate(taken) if hasattr(values.get(each.name), "shape")]
        self.inputs = tuple(_port(taken[at].name, values[taken[at].name]) for at in self._places)
        given = [each.arg.name for each in program.graph_signature.output_specs if each.kind.name == "USER_OUTPUT"]
        result = torch.utils._pytree.tree_unflatten([values.get(name) for name in given], program.call_spec.out_spec)
        self.keys = _keys(result)
        called = zip(self.keys or given, given, strict=True)
        self.outputs = tuple(_port(key, values[name]) for key, name in called if hasattr(values.get(name), "shape"))
        self.depends = any("nonzero" in str(node.target) or "cond" in str(node.target) for node in program.graph.nodes)

    def __call__(self, tensors: Sequence[Any]) -> list[Any]:
        """Run it once."""
        values = list(self._constants)
        for at, tensor in zip(self._places, tensors, strict=True):
            values[at] = tensor
        positional, named = self._unflatten(values, self._spec)
        return list(_flat(self._module(*positional, **named)))


@contextmanager
def _tensors_only() -> Iterator[None]:
    """Within, torch unpickles nothing but tensors, whatever it is asked: example inputs may be any pickle."""
    with _loading:
        before = os.environ.get(TENSORS_ONLY)
        os.environ[TENSORS_ONLY] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[TENSORS_ONLY]
            else:
                os.environ[TENSORS_ONLY] = before


def _port(name: str, value: Any) -> Port:  # noqa: ANN401 - a tensor of a framework that may be absent
    shape = tuple(size if isinstance(size, int) else -1 for size in value.shape)
    return Port(name, DATATYPES.get(str(value.dtype), str(value.dtype)), shape)


def _flat(result: Any) -> Sequence[Any]:  # noqa: ANN401 - whatever a model returns
    """The tensors of a result: one, several, or several by name, nested or not."""
    if isinstance(result, dict):
        return [each for value in result.values() for each in _flat(value)]
    if isinstance(result, list | tuple):
        return [each for value in result for each in _flat(value)]
    if not hasattr(result, "shape"):
        raise Failed("model_failed", f"The model gives a {type(result).__name__}, which is no tensor.")
    return [result]


def _keys(result: object) -> tuple[str, ...]:
    """The names of what a program gives by name; none where it gives tensors in a row, or nested."""
    if isinstance(result, dict) and all(isinstance(key, str) and hasattr(one, "shape") for key, one in result.items()):
        return tuple(result)
    return ()


def _no_script(path: Path, cause: str) -> str:
    if "constants.pkl" in cause:
        what = "it holds pickled Python objects or weights without a program, which are not opened"
        return f"{path} is no TorchScript: {what}. Save the model with torch.jit.save or torch.export.save."
    return f"{path} is no TorchScript: {' '.join(cause.split())[:300]}"


DATATYPES: Final = {
    "torch.bool": "BOOL",
    "torch.uint8": "UINT8",
    "torch.uint16": "UINT16",
    "torch.uint32": "UINT32",
    "torch.uint64": "UINT64",
    "torch.int8": "INT8",
    "torch.int16": "INT16",
    "torch.int32": "INT32",
    "torch.int64": "INT64",
    "torch.float16": "FP16",
    "torch.bfloat16": "BF16",
    "torch.float32": "FP32",
    "torch.float64": "FP64",
}
