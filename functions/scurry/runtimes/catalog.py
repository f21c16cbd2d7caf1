"""Which runtimes there are, and opening a model with one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from scurry.runtimes.checksums import check
from scurry.runtimes.files import FOLDER, NAMED, ModelFile, locate, locate_config, suffix_of
from scurry.runtimes.fingerprints import fingerprint
from scurry.runtimes.options import parse_options
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

RUNTIMES: Final[dict[str, tuple[str, str]]] = {
    "onnx": ("scurry.runtimes.onnx", "OnnxRuntime"),
    "openvino": ("scurry.runtimes.openvino", "OpenvinoRuntime"),
    "torch": ("scurry.runtimes.torch", "TorchRuntime"),
    "tensorflow": ("scurry.runtimes.tensorflow", "TensorflowRuntime"),
    "opencv": ("scurry.runtimes.opencv", "OpencvRuntime"),
    "python": ("scurry.runtimes.python", "PythonRuntime"),
    "sklearn": ("scurry.runtimes.sklearn", "SklearnRuntime"),
    "xgboost": ("scurry.runtimes.boosting", "XgboostRuntime"),
    "lightgbm": ("scurry.runtimes.boosting", "LightgbmRuntime"),
    "ensemble": ("scurry.runtimes.ensemble", "EnsembleRuntime"),
}
"""Name → module and class. A module imports its framework only when a model is opened."""

BY_BACKEND: Final[dict[str, str]] = {
    "onnxruntime": "onnx",
    "onnxruntime_onnx": "onnx",
    "openvino": "openvino",
    "pytorch": "torch",
    "pytorch_libtorch": "torch",
    "tensorflow": "tensorflow",
    "tensorflow_savedmodel": "tensorflow",
    "tensorflow_graphdef": "openvino",
    "ensemble": "ensemble",
}
"""What Triton calls a runtime, by `backend` or `platform`."""

BY_SUFFIX: Final[dict[str, str]] = {
    ".onnx": "onnx",
    ".ort": "onnx",
    ".xml": "openvino",
    ".pt": "torch",
    ".pt2": "torch",
    ".pth": "torch",
    ".ts": "torch",
    FOLDER: "tensorflow",
    ".keras": "tensorflow",
    ".h5": "tensorflow",
    ".graphdef": "openvino",
    ".pb": "openvino",
    ".tflite": "openvino",
    ".pdmodel": "openvino",
    ".prototxt": "opencv",
    ".py": "python",
    ".skops": "sklearn",
    ".pkl": "sklearn",
    ".pickle": "sklearn",
    ".joblib": "sklearn",
    ".ubj": "xgboost",
    ".json": "xgboost",
    ".txt": "lightgbm",
}
"""Who opens a file when no runtime was named."""
VAGUE: Final = frozenset({".json", ".txt"})
"""Anything may be called so."""


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
        cls, file = self.locate(model, version, spec, root)
        parts = file.all
        for folder in {each.parent for each in parts}:
            check(folder, frozenset(parts))
        return Subject(cls, file, fingerprint(parts), file.bytes)

    def locate(
        self, model: str, version: str, spec: ModelSpec, root: str | None = None
    ) -> tuple[type[Runtime], ModelFile]:
        """Who opens a spec, and its file with what lies beside it. Raises `load_failed`."""
        root = self._root if root is None else root
        given = registered(spec.config)
        told, named, seen = spec.runtime or _told(given), given.get(NAMED), None
        if not told:
            told, seen = _guess(spec.uri, model, version, root, named)
        cls = runtime_class(told)
        # What the runtime looks for first is what it would find again.
        is_first = seen is not None and cls.suffixes[:1] == (suffix_of(seen.path),)
        return cls, seen if seen and is_first else cls.locate(spec.uri, model, version, root, named=named)

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


def registered(config: str) -> dict[str, Any]:
    """What a model was registered with; nothing where it cannot be read: whoever opens the model says why."""
    try:
        given = json.loads(config) if config.strip() else {}
    except ValueError:
        return {}
    return given if isinstance(given, dict) else {}


def _told(config: Mapping[str, Any]) -> str:
    """Who opens it, according to a config, in our word or Triton's; empty: it does not say. Raises `load_failed`."""
    if told := str(config.get("runtime") or ""):
        return told
    told = str(config.get("backend") or config.get("platform") or "")
    if told and told not in BY_BACKEND:
        have = ", ".join(sorted(set(BY_BACKEND.values())))
        raise Failed("load_failed", f"The model's config asks for {told!r}; there are {have}.")
    return BY_BACKEND[told] if told else ""


def _located(uri: str, model: str, version: str, root: str, named: object) -> ModelFile:
    """What surely is a model comes first, wherever it lies; then what may be called so."""
    try:
        surely = tuple(suffix for suffix in BY_SUFFIX if suffix not in VAGUE)
        return locate(uri, model, version, surely, root, named=named)
    except Failed:
        return locate(uri, model, version, tuple(BY_SUFFIX), root, named=named)


def _guess(uri: str, model: str, version: str, root: str, named: object) -> tuple[str, ModelFile | None]:
    """What the config beside the model says, else what its name says; and the file that was looked at."""
    try:
        file = _located(uri, model, version, root, named)
    except Failed:
        config = locate_config(uri, model, version, root)
        if config is None or _told(config.config) != "ensemble":
            raise
        return "ensemble", None
    return _told(file.config) or BY_SUFFIX[suffix_of(file.path)], file
