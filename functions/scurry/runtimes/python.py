"""Models of users' own, written in Python.

A file defines a class derived from `scurry.Model`.
What it is given is what it says it takes, for that was checked; what it gives is held against what it says here.
"""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np

from scurry.runtimes.ports import read_ports
from scurry.runtimes.runtime import NO_PARAMETERS, Runtime
from scurry.runtimes.user_model import Model
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.tensors import DTYPES, Array, datatype_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Sequence
    from types import ModuleType

    from scurry.runtimes.port import Port
    from scurry.runtimes.runtime import Parameters

MODULE: Final = "scurry_model"
"""What the file is called once it is imported."""
TRITON: Final = "TritonPythonModel"
TRITONS_MODULE: Final = "triton_python_backend_utils"
"""What its files import first, and only Triton has."""
OWN: Final = frozenset({"class", "inputs", "outputs", "parameters"})
LEFT: Final = (Exception, SystemExit)
"""How a user's code may be left."""
REFUSALS: Final = frozenset({"bad_request", "input_name", "input_datatype", "input_rank", "input_shape", "too_large"})
"""Codes that a model may refuse a request with."""


class Misnamed(Failed):
    """The outputs have not the names that the model says."""


class PythonRuntime(Runtime):
    """An object of a user's class."""

    name: ClassVar[str] = "python"
    framework: ClassVar[str] = "Python"
    module: ClassVar[str] = "numpy"
    suffixes: ClassVar[tuple[str, ...]] = (".py",)
    known: ClassVar[frozenset[str]] = Runtime.known - {"device"} | OWN
    runs_code: ClassVar[bool] = True
    apart: ClassVar[bool] = True
    takes_parameters: ClassVar[bool] = True
    takes_text: ClassVar[bool] = False
    model_class: type[Model] | None = None  # given by a test; else the file has it
    _model: Model | None = None
    _misnamed = ""  # what it gave that it does not say it gives
    _loop: asyncio.AbstractEventLoop | None = None

    def _load(self) -> None:
        self.close()
        cls = self.model_class or chosen(imported(self), str(self.options.own.get("class") or ""))
        options = self.options
        self.inputs = read_ports("inputs", options.inputs or cls.inputs)
        self.outputs = read_ports("outputs", options.outputs or cls.outputs)
        if not self.outputs:
            raise Failed("load_failed", f"{cls.__name__} says no `outputs`, nor does its config.")
        try:
            model = cls()
            model.load(self.file.path.parent, options.parameters)
        except LEFT as cause:
            raise Failed("load_failed", f"{self.file.path} cannot be loaded: {self._told(cause)}") from cause
        self._model = model

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        return self._run_with(arrays, NO_PARAMETERS)

    def _run_with(self, arrays: Sequence[Array], parameters: Parameters) -> list[Array]:
        assert self._model is not None
        inputs = {port.name: _given(array, port) for port, array in zip(self.inputs, arrays, strict=True)}
        try:
            found: Any = self._model.predict(inputs, parameters)
            if inspect.isawaitable(found):
                found = self._awaited(found)
        except InvalidRequest as refusal:
            code = refusal.code if refusal.code in REFUSALS else "bad_request"
            raise InvalidRequest(code, refusal.message) from None
        except LEFT as cause:
            raise Failed("model_failed", f"The model failed: {self._told(cause)}") from cause
        try:
            return answered(found, self.outputs)
        except Misnamed as cause:
            self._misnamed = cause.message
            raise

    def _warm_up(self) -> None:
        """Outputs of other names do not come of what it was tried with: no request could be answered."""
        super()._warm_up()
        if self._misnamed and self.baseline is None:
            raise Failed("load_failed", f"{self.file.path}: {self._misnamed}")

    def _awaited(self, found: Awaitable[Any]) -> Any:  # noqa: ANN401 - what the user's function gives
        """Wait for it in a loop that goes on turning between requests."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=_turn, args=(self._loop,), name="model's loop", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(_whole(found), self._loop).result()

    def _told(self, cause: BaseException) -> str:
        """What was raised, and where in the user's file."""
        sentence = traceback.format_exception_only(cause)[-1].strip()
        if isinstance(cause, SyntaxError) and cause.filename == str(self.file.path):
            return f"{sentence} ({self.file.path.name}, line {cause.lineno})"
        own = [frame for frame in traceback.extract_tb(cause.__traceback__) if frame.filename == str(self.file.path)]
        return f"{sentence} ({self.file.path.name}, line {own[-1].lineno})" if own else sentence

    def close(self) -> None:
        """Unload the model."""
        if self._model is not None:
            self._model.unload()
            self._model = None
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._loop = None


def _turn(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()


async def _whole(found: Awaitable[Any]) -> Any:  # noqa: ANN401 - what the user's function gives
    try:
        return await found
    except SystemExit as cause:  # it would end the loop before whoever waits is told
        raise RuntimeError(f"SystemExit: {cause}") from cause


def imported(runtime: PythonRuntime) -> ModuleType:
    """The user's file as a module, from whose directory it may import. Raises `load_failed`."""
    path = runtime.file.path
    directory = str(path.parent)
    if directory not in sys.path:
        sys.path.insert(0, directory)
    spec = importlib.util.spec_from_file_location(MODULE, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[MODULE] = module
    try:
        spec.loader.exec_module(module)
    except LEFT as cause:
        if isinstance(cause, ImportError) and cause.name == TRITONS_MODULE:
            raise _tritons(str(path)) from None
        raise Failed("load_failed", f"{path} cannot be imported: {runtime._told(cause)}") from cause
    return module


def _tritons(where: str) -> Failed:
    """What to write instead."""
    return Failed(
        "load_failed",
        f"{where} is written for Triton's Python backend. Write a class derived from scurry.Model with `load(self, "
        "files, config)` for `initialize` and `predict(self, inputs, parameters)` for `execute`: arrays by name.",
    )


def chosen(module: ModuleType, name: str) -> type[Model]:
    """The class in a module: the one that the config names, else the only one. Raises `load_failed`."""
    own = {
        key: each for key, each in vars(module).items() if isinstance(each, type) and each.__module__ == module.__name__
    }
    models = {key: each for key, each in own.items() if issubclass(each, Model)}
    where = module.__file__
    if name:
        if name not in models:
            have = ", ".join(models) or "none"
            raise Failed("load_failed", f"{where} has no class {name!r} derived from scurry.Model; it has {have}.")
        return models[name]
    if not models and TRITON in own:
        raise _tritons(str(where))
    if len(models) != 1:
        have = f"several ({', '.join(models)}): name one by `class` in the config" if models else "none"
        raise Failed("load_failed", f"{where} must define one class derived from scurry.Model; it has {have}.")
    return next(iter(models.values()))


def _given(array: Array, port: Port) -> Array:
    """An array that the model may write to; BYTES are `bytes`."""
    if port.datatype == "BYTES":
        flat = [each.encode() if isinstance(each, str) else each for each in array.ravel()]
        made = np.empty(len(flat), dtype=object)
        made[:] = flat
        return made.reshape(array.shape)
    return array if array.flags.writeable else array.copy()


def answered(found: object, ports: Sequence[Port]) -> list[Array]:
    """The arrays in the order of the outputs. Raises `model_failed` for what is not as the model says."""
    if not hasattr(found, "keys"):
        raise Failed("model_failed", f"predict gave {type(found).__name__}; it must give an array by name.")
    names, given = [port.name for port in ports], dict(found)  # type: ignore[call-overload]
    if set(names) != set(given):
        gave = sorted(map(str, given))
        raise Misnamed("model_failed", f"predict gave outputs {gave}; the model says {sorted(names)}.")
    return [_output(given[port.name], port) for port in ports]


def _output(value: object, port: Port) -> Array:
    """An array is taken as it is; lists and numbers become one of the type that the model says."""
    if isinstance(value, np.ndarray):
        array: Array = value
    else:
        try:
            array = np.asarray(value, object if port.datatype == "BYTES" else DTYPES[port.datatype])
        except (ValueError, TypeError, OverflowError) as cause:
            raise Failed("model_failed", f"Output {port.name!r} is no {port.datatype}: {cause}.") from None
    try:
        datatype = datatype_of(array.dtype)
    except InvalidRequest:
        datatype = str(array.dtype)
    fits = len(array.shape) == len(port.shape) and all(
        want in (-1, size) for want, size in zip(port.shape, array.shape, strict=True)
    )
    if datatype != port.datatype or not fits:
        came, says = f"{datatype} {list(array.shape)}", f"{port.datatype} {list(port.shape)}"
        raise Failed("model_failed", f"predict gave output {port.name!r} as {came}; the model says {says}.")
    return array
