"""Which runtimes there are, and opening a model with one."""

from __future__ import annotations

from importlib import import_module
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from scurry.runtimes.files import locate
from scurry.runtimes.options import parse_options
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

RUNTIMES: Final[dict[str, tuple[str, str]]] = {
    "onnx": ("scurry.runtimes.onnx", "OnnxRuntime"),
    "openvino": ("scurry.runtimes.openvino", "OpenvinoRuntime"),
}
"""Name → module and class. A module imports its framework only when a model is opened."""

BY_SUFFIX: Final[dict[str, str]] = {".onnx": "onnx", ".ort": "onnx", ".xml": "openvino"}
"""Who opens a file when no runtime was named."""


def open_model(model: str, version: str, spec: ModelSpec, threads: int = 1, root: str = "") -> Runtime:
    """The open model of a spec. Raises `load_failed` and nothing else that a spec can cause."""
    runtime = spec.runtime or _guess(spec.uri, model, version, root)
    cls = runtime_class(runtime)
    file = locate(spec.uri, model, version, cls.suffixes, root)
    opened = cls(file, parse_options(spec.config, file.config, cls.known, runtime), threads)
    opened.open()
    return opened


def runtime_class(name: str) -> type[Runtime]:
    """The class of a runtime. Raises `load_failed` for an unknown name."""
    try:
        module, cls = RUNTIMES[name]
    except KeyError:
        raise Failed("load_failed", f"There is no runtime {name!r}; there are {', '.join(RUNTIMES)}.") from None
    found: type[Runtime] = getattr(import_module(module), cls)
    return found


def _guess(uri: str, model: str, version: str, root: str) -> str:
    suffix = PurePath(uri).suffix
    if suffix not in BY_SUFFIX:
        suffix = locate(uri, model, version, tuple(BY_SUFFIX), root).path.suffix
    return BY_SUFFIX[suffix]
