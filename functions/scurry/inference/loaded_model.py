"""A model on the shelf: run, timed, and proven again after a failure.

What one caller sent must not change what the next one gets. After a run that raised, or that gave NaN where the model
is not known to, the model has to answer its baseline and its last good input as before; if not, it is opened anew, all
that before its next run.
"""

from __future__ import annotations

import logging
import os
import time
from threading import Lock
from typing import TYPE_CHECKING, Final

from scurry.inference import placement
from scurry.inference.laps import here
from scurry.inference.layouts import LayoutCache
from scurry.inference.turns import Turns
from scurry.runtimes.baseline import Baseline, has_nan
from scurry.runtimes.runtime import NO_PARAMETERS
from scurry.wire.errors import Failed, InvalidRequest, ScurryError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.runtime import Parameters, Runtime
    from scurry.wire.tensors import Array

log = logging.getLogger(__name__)

Key = tuple[str, str]
Recipe = tuple[str, str, str]
"""Fingerprint of the files, runtime, config: what a model is made of."""

NAN_PAUSE_SECONDS: Final = 1.0
"""A model that keeps giving NaN is proven again no more often than this; ten times as seldom without a baseline."""
UNMENDED: Final = "The model is broken since a run failed, and opening it anew did not help: register it again."
KEPT_BYTES: Final = 1 << 20
"""A good input with a tensor above this is not kept."""


class LoadedModel:
    """An open model: its layouts, how long a run of it takes, and how many are using it."""

    def __init__(self, key: Key, model: Runtime, recipe: Recipe = ("", "", "")) -> None:
        self.key, self.model, self.recipe = key, model, recipe
        self.layouts = LayoutCache(model)
        self.pace = placement.Pace(model.seconds)
        # Its time does not depend on what it is sent, and it has shown it.
        fixed = all(size >= 0 for port in model.inputs for size in port.shape[1:])
        self.steady = model.baseline is not None and fixed and not model.depends
        self.suspect = False  # it did not come back once
        self.broken = ""  # why it cannot be mended
        self.graph = model.graph
        self.users = 0
        self.cached = model.options.response_cache  # its answers are kept for those who ask the same
        self.retired = False  # it left the shelf
        self.used = 0.0  # when it was last asked for, by the shelf's clock
        self.nan_results = 0
        # Runs at a time: as many as the cores carry; beyond, lanes would only evict each other from the caches.
        slots = 1 if model.thread is not None else (os.cpu_count() or 1) // max(1, model.threads)
        self.slots = Turns(max(1, slots))
        self._doubtful = False
        self._lock = Lock()
        self._last_good: Sequence[Array] = ()
        self._last_nan = -1e9

    def expected(self, rows: int) -> float:
        """Seconds that so many rows will about take."""
        return placement.expected(self.pace.seconds, rows, self.model.max_batch_size)

    def leave(self) -> None:
        """One less uses it; the last lets go of what has left the shelf."""
        self.users -= 1
        if self.retired and not self.users:
            self.model.close()

    def retire(self) -> None:
        """It left the shelf: whoever uses it finishes."""
        if not self.retired:
            self.retired = True
            if not self.users:
                self.model.close()

    def run(self, arrays: Sequence[Array], parameters: Parameters = NO_PARAMETERS) -> list[Array]:
        """Run the model once, proven again if need be. Raises `model_failed`, or `input_datatype` for bad text."""
        if self._doubtful:
            self._prove()
        laps = here()
        laps.asked()
        try:
            outputs = self.model.run(arrays, parameters) if parameters else self.model.run(arrays)
        except InvalidRequest:
            raise  # the model was not asked
        except Exception:
            self._doubtful = True
            raise
        finally:
            laps.answered()
        if has_nan(outputs):
            self._note_nan()
        else:
            self._note_good(arrays, outputs)
        return outputs

    def _note_good(self, arrays: Sequence[Array], outputs: Sequence[Array]) -> None:
        for each in arrays:
            if (each.nbytes if each.dtype.kind != "O" else sum(map(len, each.flat))) > KEPT_BYTES:
                return
        self._last_good = arrays
        if self.model.baseline is None:
            self.model.baseline = Baseline(arrays, outputs)

    def _note_nan(self) -> None:
        """Count a result that the model is not known to give, and doubt the model, not more than every so often."""
        base, now = self.model.baseline, time.monotonic()
        if base is not None and base.nan:
            return
        self.nan_results += 1
        if self.nan_results & (self.nan_results - 1) == 0:
            log.warning(
                "model %s version %s gave NaN, which its warm-up did not, %d times", *self.key, self.nan_results
            )
        if now - self._last_nan >= NAN_PAUSE_SECONDS * (1 if base else 10):
            self._last_nan, self._doubtful = now, True

    def _prove(self) -> None:
        with self._lock:
            if not self._doubtful:
                return
            if not self._is_sound():
                log.warning("model %s version %s is not what it was after a failed run: it is opened anew", *self.key)
                self._mend()
            self._doubtful, self.broken = False, ""

    def _mend(self) -> None:
        try:
            self.model.reopen()
            if self.model.baseline is not None and not self._is_sound():
                raise Failed("model_failed", UNMENDED)
        except Failed as failure:
            self.broken = failure.message
            raise

    def _is_sound(self) -> bool:
        if not self.model.is_sound():
            return False
        try:
            return not self._last_good or not has_nan(self.model.run(self._last_good))
        except ScurryError:
            return False

    def __repr__(self) -> str:
        nan = f", NaN {self.nan_results} times" if self.nan_results else ""
        return f"<LoadedModel {self.key[0]}@{self.key[1]}, {self.users} users{nan}>"
