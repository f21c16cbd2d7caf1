"""Which runtimes there are, and opening a model with one."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

from scurry.runtimes.checksums import check
from scurry.runtimes.files import ModelFile, locate
from scurry.runtimes.fingerprints import fingerprint
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

BY_BACKEND: Final[dict[str, str]] = {"onnxruntime": "onnx", "onnxruntime_onnx": "onnx", "openvino": "openvino"}
"""What Triton calls a runtime, by `backend` or `platform`."""

BY_SUFFIX: Final[dict[str, str]] = {".onnx": "onnx", ".ort": "onnx", ".xml": "openvino"}
"""Who opens a file when no runtime was named."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The files of a model that is to be opened."""

    runtime: type[Runtime]
    file: ModelFile
    fingerprint: str
    bytes: int


class Opener:
    """How this process opens models: with how many threads, from below which directory."""

    def __init__(self, threads: int = 1, root: str = "") -> None:
        self._threads, self._root = threads, root

    def find(self, model: str, version: str, spec: ModelSpec, root: str | None = None) -> Subject:
        """The files of a spec, read once to tell what they hold. Raises `load_failed`; belongs off the event loop.

        They lie below `root`, or where this process' models do.
        """
        root = self._root if root is None else root
        seen = None if spec.runtime else locate(spec.uri, model, version, tuple(BY_SUFFIX), root)
        cls = runtime_class(spec.runtime if seen is None else _guess(seen))
        # What the runtime looks for first is what it would find again.
        is_first = seen is not None and cls.suffixes[:1] == (seen.path.suffix,)
        file = seen if seen and is_first else locate(spec.uri, model, version, cls.suffixes, root)
        for folder in {each.parent for each in file.all}:
            check(folder, file.all)
        return Subject(cls, file, fingerprint(file.all), file.bytes)

    def open(self, subject: Subject, config: str) -> Runtime:
        """The open model. Raises `load_failed` and nothing else that a spec can cause."""
        cls, file = subject.runtime, subject.file
        opened = cls(file, parse_options(config, file.config, cls.known, cls.name), self._threads)
        opened.open()
        if fingerprint(file.all) != subject.fingerprint:
            raise Failed("load_failed", f"{file.path} was changed while it was opened.")
        return opened


def runtime_class(name: str) -> type[Runtime]:
    """The class of a runtime. Raises `load_failed` for an unknown name."""
    try:
        module, cls = RUNTIMES[name]
    except KeyError:
        raise Failed("load_failed", f"There is no runtime {name!r}; there are {', '.join(RUNTIMES)}.") from None
    found: type[Runtime] = getattr(import_module(module), cls)
    return found


def _guess(file: ModelFile) -> str:
    """What the config beside the model says, else what its name says."""
    if told := str(file.config.get("runtime") or ""):
        return told
    told = str(file.config.get("backend") or file.config.get("platform") or "")
    if told and told not in BY_BACKEND:
        have = ", ".join(sorted(set(BY_BACKEND.values())))
        raise Failed("load_failed", f"The config beside {file.path} asks for {told!r}; there are {have}.")
    return BY_BACKEND[told] if told else BY_SUFFIX[file.path.suffix]
