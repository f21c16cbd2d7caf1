"""The base of every runtime: a model that is open and can be run.

A runtime writes `_load`, which opens the file and says what the model takes and gives, and `_run`, which runs it.
All else is done here once: options, warm-up, the proof that rows may be stacked, measured memory, mapped errors.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from scurry.runtimes.baseline import Baseline
from scurry.runtimes.graphs import depends_on_values
from scurry.runtimes.memory import Growth
from scurry.runtimes.options import KNOWN
from scurry.runtimes.sequences import Sequences
from scurry.runtimes.stacking import decide
from scurry.runtimes.stated import check_stated
from scurry.runtimes.warmup import guessed, recorded
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.messages_pb2 import Signature
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.files import ModelFile
    from scurry.runtimes.options import Options
    from scurry.runtimes.port import Port

OVERHEAD_BYTES = 96 * 1024
"""What the smallest open model costs besides its weights (measured with 1,000 sessions of onnxruntime: 87 KiB)."""
UNKNOWN_SECONDS = 1.0
"""What a run is taken to need while none has ended."""
TIMED_RUNS, TIMED_SECONDS = 4, 0.02
"""So often, or so long, a model is run to see how long a run of it takes."""
WARM_SECONDS = 0.5
"""The full-batch warm-up is left out for models that would need longer than this for it."""


class Runtime(ABC):
    """A model that is open. `run` takes arrays in the order of `inputs` and gives them in the order of `outputs`."""

    name: ClassVar[str]
    framework: ClassVar[str]
    module: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    holds_interpreter: ClassVar[bool] = False  # whether a run may keep other threads from running
    known: ClassVar[frozenset[str]] = KNOWN

    def __init__(self, file: ModelFile, options: Options, threads: int) -> None:
        self.file, self.options = file, options
        self.threads = options.threads or threads
        self.inputs: tuple[Port, ...] = ()
        self.outputs: tuple[Port, ...] = ()
        self.batched = False
        self.max_batch_size = 1
        self.bytes = 0
        self.device = "cpu"
        self.seconds = UNKNOWN_SECONDS
        self.depends = False  # on its input: how long a run takes, though no dimension is free
        self.baseline: Baseline | None = None
        self.sequences: Sequences | None = None  # what of the tensors belongs to sequences
        self.warnings: list[str] = []
        self._texts = False

    @abstractmethod
    def _load(self) -> None:
        """Open `self.file`; set `inputs`, `outputs` and, where it is not the cpu, `device`."""

    @abstractmethod
    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        """Run the model once; BYTES are arrays of `str` here."""

    def open(self) -> None:
        """Load, warm up and measure. Raises `load_failed`."""
        self._api = _imported(self)
        try:
            with Growth() as growth:
                self._load()
                self._texts = any(port.datatype == "BYTES" for port in self.inputs)
                self.sequences = _sequences(self)
                _check(self)
                self._warm_up()
            self.depends = depends_on_values(self.file.path)
        except ScurryError as cause:
            raise Failed("load_failed", cause.message) from cause
        except Exception as cause:
            raise Failed("load_failed", f"{self.framework} cannot open {self.file.path}: {_sentence(cause)}") from cause
        self.bytes = max(growth.bytes, self.file.bytes + OVERHEAD_BYTES)

    def run(self, arrays: Sequence[Array]) -> list[Array]:
        """Run the model once. Raises `model_failed`, or `input_datatype` for a BYTES element that is not UTF-8."""
        if self._texts:
            arrays = [_decoded(array, self.inputs[at]) for at, array in enumerate(arrays)]
        try:
            return self._run(arrays)
        except Exception as cause:
            raise Failed("model_failed", f"The model failed: {_sentence(cause)}") from cause

    def is_sound(self) -> bool:
        """Whether the model still gives what it gave for its baseline; False when it never gave anything."""
        try:
            return self.baseline is not None and self.baseline.agrees(self.run(self.baseline.inputs))
        except ScurryError:
            return False

    def reopen(self) -> None:
        """Open the file again in place of what is open. Raises `model_failed`."""
        try:
            self._load()
        except Exception as cause:
            raise Failed("model_failed", f"The model cannot be opened anew: {_sentence(cause)}") from cause

    def signature(self) -> Signature:
        """What the model takes and gives, for the registry."""
        answer = Signature(batched=self.batched)
        for ports, specs in zip(shown(self), (answer.inputs, answer.outputs), strict=True):
            for port in ports:
                specs.add(name=port.name, datatype=port.datatype, shape=port.shape)
        return answer

    def _warm_up(self) -> None:
        """Run what there is to try with, then decide whether rows may be stacked. A model that fails is a warning."""
        self.warnings = list(self.options.warnings)
        self._try_out()
        self.max_batch_size, warning = decide(self.run, self.inputs, self.outputs, self.options.max_batch_size)
        self.batched = self.max_batch_size > 1
        if warning:
            self.warnings.append(warning)
        if self.batched and self.baseline and self.seconds * self.max_batch_size < WARM_SECONDS:
            with suppress(ScurryError):
                self._timed([np.concatenate([each[:1]] * self.max_batch_size) for each in self.baseline.inputs])

    def _try_out(self) -> None:
        """Recorded samples first, then zeros, then random rows: the first that runs is what a sound model answers."""
        failures: list[str] = []
        for name, arrays in (*_samples(self), *guessed(self.inputs)):
            try:
                outputs, again = self.run(arrays), self._timed(arrays)
            except ScurryError as failure:
                failures.append(f"{name} cannot be run: {failure.message}")
                continue
            self.baseline = Baseline(arrays, outputs, again)
            return
        self.warnings += failures[:1]

    def _timed(self, arrays: Sequence[Array]) -> list[Array]:
        """Run it a few times if it is quick; others load beside it, so that the shortest tells what a run takes."""
        self.run(arrays)
        taken: list[float] = []
        while len(taken) < TIMED_RUNS and sum(taken) < TIMED_SECONDS:
            start = time.perf_counter()
            outputs = self.run(arrays)
            taken.append(time.perf_counter() - start)
        self.seconds = min(taken)
        return outputs

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.file.path.name} on {self.device}, {self.bytes / 2**20:.1f} MiB>"


def shown(runtime: Runtime) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    """The inputs that callers send and the outputs that they get: all but what belongs to sequences."""
    kept = runtime.sequences
    if kept is None:
        return runtime.inputs, runtime.outputs
    return tuple(runtime.inputs[at] for at in kept.inputs), tuple(runtime.outputs[at] for at in kept.outputs)


def _sequences(runtime: Runtime) -> Sequences | None:
    stated = runtime.options.sequences
    return None if stated is None else Sequences(stated, runtime.inputs, runtime.outputs, runtime.file.path)


def _samples(runtime: Runtime) -> list[tuple[str, list[Array]]]:
    """Those of the config; of a sequence each is the first step."""
    samples = recorded(runtime.options.model_warmup, shown(runtime)[0], runtime.file.path)
    kept = runtime.sequences
    if kept is None:
        return samples
    first = [kept.first], [("0", True, False)]
    return [(name, kept.arrays([each[:1] for each in arrays], *first)) for name, arrays in samples]


def _imported(runtime: Runtime) -> Any:  # noqa: ANN401 - a framework that may be absent
    try:
        return import_module(runtime.module)
    except ImportError as cause:
        raise Failed(
            "load_failed",
            f"Runtime {runtime.name!r} needs {runtime.framework}, which this worker has not ({cause}): "
            f"pip install 'scurry[{runtime.name}]'.",
        ) from None


def _check(runtime: Runtime) -> None:
    check_stated(runtime.options, *shown(runtime))
    for port in (*runtime.inputs, *runtime.outputs):
        if port.datatype not in DTYPES and port.datatype != "BYTES":
            raise Failed("load_failed", f"Tensor {port.name!r} of the model is {port.datatype}: not supported.")


def _decoded(array: Array, port: Port) -> Array:
    if port.datatype != "BYTES":
        return array
    try:
        texts = [each.decode() if isinstance(each, bytes) else each for each in array.ravel()]
    except UnicodeDecodeError:
        raise InvalidRequest("input_datatype", f"Input {port.name!r} has an element that is not UTF-8 text.") from None
    decoded = np.empty(len(texts), dtype=object)
    decoded[:] = texts
    return decoded.reshape(array.shape)


def _sentence(cause: BaseException) -> str:
    text = " ".join(str(cause).split()) or type(cause).__name__
    return text if len(text) <= 500 else f"{text[:500]}…"
