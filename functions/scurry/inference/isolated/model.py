"""A model that is open in a process of its own, seen from the worker.

It looks like any other open model. Its process is started again when it ended, each time in a row after a longer
pause; one that does not come back in time is ended. All of that happens in a thread of the model's own, so that only
its own requests wait.
"""

from __future__ import annotations

import logging
import threading
import time
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeVar

from scurry.inference import placement
from scurry.inference.children import Died
from scurry.inference.isolated.process import Process
from scurry.runtimes.baseline import Baseline
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import NO_PARAMETERS, Runtime
from scurry.runtimes.sequences import sequences_of
from scurry.wire.errors import Failed, ScurryError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scurry.runtimes.catalog import Subject
    from scurry.runtimes.options import Options
    from scurry.runtimes.runtime import Parameters
    from scurry.wire.tensors import Array

log = logging.getLogger(__name__)
Result = TypeVar("Result")

FREE_STARTS: Final = 4
"""So often in a row a process is started again at once."""
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 10.0
STEADY_SECONDS: Final = 30.0
"""A process that lived for so long was sound: what comes after it begins a new row."""
HUNG: Final = "The model did not come back within {:g} s; its process is ended."
LOST: Final = "The process of the model was lost: {}."


class IsolatedModel(Runtime):
    """One model and its process."""

    module: ClassVar[str] = "scurry"
    suffixes: ClassVar[tuple[str, ...]] = ()
    thread: ThreadPoolExecutor

    def __init__(self, subject: Subject, options: Options, header: Mapping[str, Any], load_seconds: float) -> None:
        super().__init__(subject.file, options, header["threads"])
        self._header, self._load_seconds = header, load_seconds
        # The system ends a process when the thread ends that started it: this one lives as long as the model.
        self.thread = ThreadPoolExecutor(1, f"model {subject.file.path.parent.name}")
        self.depends = True  # whatever it is sent, it does not run in the worker's loop
        self._process: list[Process] = []  # at most one; a finaliser knows the list, not the model
        self._slowest = 0.0
        self._starts, self._started = 0, -1e9
        self._closing = threading.Event()
        weakref.finalize(self, _end, self._process)

    def open(self) -> None:
        """Start the process and open the model there. Raises `load_failed`."""
        try:
            self._in_thread(self._load)
        except BaseException:
            self.thread.shutdown(wait=False)
            raise

    def _in_thread(self, work: Callable[[], Result]) -> Result:
        return self.thread.submit(work).result()

    def _load(self) -> None:
        _end(self._process)
        process = Process(self.threads)
        self._process.append(process)
        self._started = time.monotonic()
        try:
            answer, arrays = process.ask({"op": "open", **self._header}, [], self._load_seconds)
        except (Died, TimeoutError) as cause:
            sentence = LOST.format(cause) if isinstance(cause, Died) else "It hangs, and its process is ended."
            raise Failed("load_failed", f"The model cannot be opened: {sentence}") from None
        finally:
            if process.runs == 0:
                _end(self._process)
        process.runs = 0
        self._take(answer, arrays)

    def _take(self, told: Mapping[str, Any], arrays: Sequence[Array]) -> None:
        """What its process says of the model."""
        self.inputs, self.outputs = (
            tuple(Port(name, datatype, tuple(shape)) for name, datatype, shape in told[side])
            for side in ("inputs", "outputs")
        )
        for name in ("batched", "max_batch_size", "device", "seconds", "warnings", "bytes"):
            setattr(self, name, told[name])
        self.sequences = sequences_of(self)
        self._slowest = max(self._slowest, self.seconds)
        if told["baseline"] is not None:
            inputs, outputs = arrays[: len(self.inputs)], arrays[len(self.inputs) :]
            self.baseline = Baseline(inputs, outputs, outputs if told["baseline"] else None)

    def run(self, arrays: Sequence[Array], parameters: Parameters = NO_PARAMETERS) -> list[Array]:
        """Run the model once. Raises what it raises, `worker_lost` when that ended its process, `deadline_exceeded`."""
        process = self._running()
        limit, start = self.options.max_seconds or placement.limit(self._slowest), time.monotonic()
        try:
            _, outputs = process.ask({"op": "run", "parameters": dict(parameters)}, arrays, limit)
        except (Died, TimeoutError) as cause:
            log.warning(
                "%s: process %d of the model is given up: %s", self.file.path, process.pid, str(cause) or "it hangs"
            )
            _end(self._process)
            if isinstance(cause, Died):
                raise Failed("worker_lost", LOST.format(cause)) from None
            raise Unavailable("deadline_exceeded", HUNG.format(limit)) from None
        self._slowest = max(self._slowest, time.monotonic() - start)
        return outputs

    def _run(self, arrays: Sequence[Array]) -> list[Array]:
        return self.run(arrays)

    def _running(self) -> Process:
        """The process, started again if it ended, not too often. Raises `model_failed`."""
        if self._process and self._process[0].is_alive():
            return self._process[0]
        self._starts = 0 if time.monotonic() - self._started > STEADY_SECONDS else self._starts + 1
        if self._closing.wait(pause(self._starts)):
            raise Unavailable("model_not_ready", "The model is being unloaded.")
        self.reopen()
        return self._process[0]

    def reopen(self) -> None:
        """Start the process anew. Raises `model_failed`."""
        try:
            self._load()
        except ScurryError as cause:
            raise Failed("model_failed", f"The model cannot be opened anew: {cause.message}") from cause

    def close(self) -> None:
        """Let the model unload and its process go, once what runs there has ended."""
        self._closing.set()
        self.thread.submit(_leave, self._process)
        self.thread.shutdown(wait=False)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.file.path.name} in {self._process}, {self.bytes / 2**20:.1f} MiB>"


def pause(starts: int) -> float:
    """Seconds before a process is started that was started so often in a row."""
    again = starts - FREE_STARTS
    return 0.0 if again < 0 else min(LONGEST_PAUSE_SECONDS, FIRST_PAUSE_SECONDS * 2.0**again)


def _end(processes: list[Process]) -> None:
    while processes:
        processes.pop().end()


def _leave(processes: list[Process]) -> None:
    while processes:
        processes.pop().leave()


@cache
def isolated(runtime: type[Runtime]) -> type[IsolatedModel]:
    """The class of such models that bears a runtime's name."""
    names = {"name": runtime.name, "framework": runtime.framework, "takes_parameters": runtime.takes_parameters}
    return type(f"Isolated{runtime.__name__}", (IsolatedModel,), names)
