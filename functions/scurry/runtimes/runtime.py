"""The base of every runtime: a model that is open and can be run.

A runtime writes `_load`, which opens the file and says what the model takes and gives, and `_run`, which runs it.
All else is done here once: options, warm-up, the proof that rows may be stacked, measured memory, mapped errors.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from contextlib import suppress
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.runtimes.graphs import depends_on_values
from scurry.runtimes.memory import Growth
from scurry.runtimes.samples import too_large
from scurry.runtimes.sequences import Sequences, sequences_of, shown
from scurry.runtimes.stacking import decide
from scurry.runtimes.stated import check_stated
from scurry.runtimes.traits import Traits
from scurry.runtimes.trial import timed, try_out
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.messages_pb2 import Signature
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.runtimes.baseline import Baseline
    from scurry.runtimes.files import ModelFile
    from scurry.runtimes.options import Options
    from scurry.runtimes.port import Port

    Parameters = Mapping[str, bool | int | float | str]

NO_PARAMETERS: Final[Parameters] = MappingProxyType({})
OVERHEAD_BYTES = 96 * 1024
"""What the smallest open model costs besides its weights (measured with 1,000 sessions of onnxruntime: 87 KiB)."""
UNKNOWN_SECONDS = 1.0
"""What a run is taken to need while none has ended."""
WARM_SECONDS = 0.5
"""The full-batch warm-up is left out for models that would need longer than this for it."""


class Runtime(Traits, ABC):
    """A model that is open. `run` takes arrays in the order of `inputs` and gives them in the order of `outputs`."""

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
        self.notes: tuple[str, ...] = ()  # what whoever reads the record should know of how it was opened
        self.sequences: Sequences | None = None  # what of the tensors belongs to sequences
        self.warnings: list[str] = []
        self.labels: Mapping[str, Sequence[str]] = {}  # of classes, by output
        self._texts = False

    def _depends(self) -> bool:
        """Whether how long a run takes depends on values, not on shapes alone."""
        return depends_on_values(self.file.path)

    @abstractmethod
    def _load(self) -> None:
        """Open `self.file`; set `inputs`, `outputs` and, where it is not the cpu, `device`."""

    @abstractmethod
    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        """Run the model once; BYTES are arrays of `str` here, of `bytes` unless the runtime takes text."""

    def open(self) -> None:
        """Load, warm up and measure. Raises `load_failed`."""
        self._api = _imported(self)
        try:
            with Growth() as growth:
                self._load()
                self._texts = self.takes_text and any(port.datatype == "BYTES" for port in self.inputs)
                _check_datatypes((*self.inputs, *self.outputs))
                self.sequences = sequences_of(self)
                check_stated(self.options, *shown(self))
                self._warm_up()
            self.depends = self._depends()
        except ScurryError as cause:
            raise Failed("load_failed", " ".join(cause.message.split())) from cause
        except Exception as cause:
            raise Failed("load_failed", f"{self.framework} cannot open {self.file.path}: {_sentence(cause)}") from cause
        self.bytes = max(growth.bytes, self.file.bytes + OVERHEAD_BYTES)

    def _run_with(self, arrays: Sequence[Array], parameters: Parameters) -> list[Array]:  # noqa: ARG002
        """The same with the parameters of a request, for those that take any."""
        return self._run(arrays)

    def run(self, arrays: Sequence[Array], parameters: Parameters = NO_PARAMETERS) -> list[Array]:
        """Run the model once. Raises `model_failed`, or `input_datatype` for a BYTES element that is not UTF-8."""
        if self._texts:
            arrays = [_decoded(array, self.inputs[at]) for at, array in enumerate(arrays)]
        try:
            return self._run_with(arrays, parameters) if parameters else self._run(arrays)
        except ScurryError:
            raise
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
        return _signature(*shown(self), batched=self.batched)

    def _warm_up(self) -> None:
        """Run what there is to try with, then decide whether rows may be stacked. A model that fails is a warning."""
        self.warnings = [*self.options.warnings, *self.notes]
        try_out(self)
        self.max_batch_size, warning = decide(self.run_guess, self.inputs, self.outputs, self.options.max_batch_size)
        self.batched = self.max_batch_size > 1
        if warning:
            self.warnings.append(warning)
        if self.batched and self.baseline and self.seconds * self.max_batch_size < WARM_SECONDS:
            for size in (*self.options.preferred_batch_size, self.max_batch_size):  # the last one's time counts
                if too_large(self.inputs, min(size, self.max_batch_size)):
                    continue
                with suppress(ScurryError):
                    timed(self, _repeated(self.baseline.inputs, min(size, self.max_batch_size)))

    def run_guess(self, arrays: Sequence[Array]) -> list[Array]:
        """Run it with made-up rows, whose sizes nobody has stated."""
        return self.run(arrays)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.file.path.name} on {self.device}, {self.bytes / 2**20:.1f} MiB>"


def _signature(inputs: Sequence[Port], outputs: Sequence[Port], *, batched: bool) -> Signature:
    answer = Signature(batched=batched)
    for ports, specs in ((inputs, answer.inputs), (outputs, answer.outputs)):
        for port in ports:
            specs.add(name=port.name, datatype=port.datatype, shape=port.shape)
    return answer


def _imported(runtime: Runtime) -> Any:  # noqa: ANN401 - a framework that may be absent
    try:
        return import_module(runtime.module)
    except ImportError as cause:
        raise Failed(
            "load_failed",
            f"Runtime {runtime.name!r} needs {runtime.framework}, which this worker has not ({cause}): "
            f"pip install 'scurry[{runtime.name}]'.",
        ) from None


def _repeated(arrays: Sequence[Array], rows: int) -> list[Array]:
    """So many times the first row."""
    return [np.concatenate([each[:1]] * rows) for each in arrays]


def _check_datatypes(ports: Sequence[Port]) -> None:
    if not ports:
        raise Failed("load_failed", "The file holds a model that takes and gives nothing.")
    for port in ports:
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
    """What a framework says, without where in its own code: XGBoost adds that below."""
    told = str(cause).partition("\nStack trace:")[0]
    text = " ".join(told.split()) or type(cause).__name__
    return text if len(text) <= 500 else f"{text[:500]}…"
