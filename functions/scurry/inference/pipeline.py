"""A model with what its config puts before and after it.

What callers see of it is the pipeline. It has a `Runtime`'s face, and hands on what it does not change. Each row is
prepared by itself, several at a time; a row that cannot be used fails its own request, while zeros stand for it in the
model call that it shares with others.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from scurry.inference.batch import PartlyFailed, RowFault
from scurry.inference.laps import here
from scurry.inference.threads import rows_pool
from scurry.runtimes.baseline import Baseline
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import NO_PARAMETERS
from scurry.transforms.specs import Unusable
from scurry.wire.errors import Failed, InvalidRequest, ScurryError
from scurry.wire.messages_pb2 import Signature
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.runtime import Parameters, Runtime
    from scurry.transforms.finishing import Finish
    from scurry.transforms.specs import Preparation, Spec

Faults = dict[int, RowFault]


class Pipeline:
    """Preparations, the model, finishes."""

    def __init__(self, model: Runtime, prepared: Sequence[Preparation | None], finishes: Sequence[Finish]) -> None:
        self._model, self._prepared, self._finishes = model, prepared, finishes
        own = (made.takes if made else (port,) for made, port in zip(prepared, model.inputs, strict=True))
        self.inputs = tuple(_port(spec) for specs in own for spec in specs)
        self.outputs = tuple(_port(spec) for finish in finishes for spec in finish.gives)
        self.depends = model.depends or any(made is not None for made in prepared)
        self.seconds = model.seconds
        self.warnings = list(model.warnings)
        self.baseline: Baseline | None = None
        self._warm_up()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a runtime has
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._model, name)

    def run(self, arrays: Sequence[Array], parameters: Parameters = NO_PARAMETERS) -> list[Array]:
        """Prepare, run once, finish. Raises `PartlyFailed` with the outputs of the other rows, or the only failure."""
        faults: Faults = {}
        given = iter(arrays)
        inputs = [
            next(given) if made is None else _made(made, [next(given) for _ in made.takes], faults)
            for made in self._prepared
        ]
        laps = here()
        laps.asked()
        given_back = self._model.run(inputs, parameters)
        laps.answered()
        outputs = self._finished(given_back)
        laps.written()
        if faults:
            raise PartlyFailed(outputs, faults, len(arrays[0]))
        return outputs

    def _finished(self, outputs: Sequence[Array]) -> list[Array]:
        finished = zip(self._finishes, outputs, strict=True)
        try:
            return [each for finish, output in finished for each in finish.apply(output)]
        except Exception as cause:
            raise Failed("model_failed", f"The model's outputs are not what they are said to be: {cause}.") from cause

    def is_sound(self) -> bool:
        """Whether it still gives what it gave for its baseline."""
        try:
            return self.baseline is not None and self.baseline.agrees(self.run(self.baseline.inputs))
        except ScurryError:
            return False

    def signature(self) -> Signature:
        """What the pipeline takes and gives, for the registry."""
        answer = Signature(batched=self._model.batched)
        for ports, specs in ((self.inputs, answer.inputs), (self.outputs, answer.outputs)):
            for port in ports:
                specs.add(name=port.name, datatype=port.datatype, shape=port.shape)
        return answer

    def _warm_up(self) -> None:
        """Run the sample; that it cannot be run is a warning."""
        arrays = self._sample()
        if not arrays:
            return
        try:
            outputs = self.run(arrays)
            start = perf_counter()
            again = self.run(arrays)
            taken = perf_counter() - start
        except ScurryError as failure:
            self.warnings.append(f"The pipeline's own sample cannot be run: {failure.message}")
            return
        self.seconds = max(self.seconds, taken) if self._model.baseline else taken
        self.baseline = Baseline(arrays, outputs, again)

    def _sample(self) -> list[Array]:
        """What the preparations are tried with, and for other inputs what the model was tried with; else nothing."""
        base = self._model.baseline
        if base is None and None in self._prepared:
            return []
        arrays: list[Array] = []
        for at, made in enumerate(self._prepared):
            own = base.inputs[at] if base else np.zeros(1)
            if made is None:
                arrays.append(own)
            else:
                rows = made.takes[0].shape[0]
                arrays += [_rows_of(each, rows if rows >= 0 else len(own)) for each in made.sample]
        return arrays

    def __repr__(self) -> str:
        return f"<Pipeline of {len(self.inputs)} inputs around {self._model!r}>"


def _made(made: Preparation, arrays: Sequence[Array], faults: Faults) -> Array:
    """One input of the model. Raises the first failure when no row can be used."""
    count = len(arrays[0])
    uneven = next((spec.name for spec, each in zip(made.takes, arrays, strict=True) if len(each) != count), None)
    if uneven is not None:
        raise InvalidRequest("input_shape", f"Input {uneven!r} has not as many rows as {made.takes[0].name!r}.")

    def one(at: int) -> Any:  # noqa: ANN401 - a row of the model's
        try:
            return made.row([each[at] for each in arrays])
        except Unusable as cause:
            return RowFault(made.takes[0].name, str(cause))

    found = list(rows_pool().map(one, range(count)) if made.costly and count > 1 else map(one, range(count)))
    bad = {at: row for at, row in enumerate(found) if isinstance(row, RowFault)}
    if bad and len(bad) == count:
        raise bad[0].told(0, count)
    for at, fault in bad.items():
        faults.setdefault(at, fault)
    return _joined(made, [row for row in found if not isinstance(row, RowFault)], bad, count)


def _joined(made: Preparation, good: Sequence[Any], bad: Faults, count: int) -> Array:
    """Rows as one input, with zeros or empty texts for those that failed."""
    if made.to.datatype == "BYTES":
        rest = iter(good)
        texts = np.empty(count, dtype=object)
        texts[:] = ["" if at in bad else next(rest) for at in range(count)]
        return texts.reshape(count, *(1 for _ in made.to.shape[1:]))
    if not made.stacked:
        whole: Array = good[0]
        return whole
    inner = good[0].shape if good else tuple(max(0, size) for size in made.to.shape[1:])
    if any(row.shape != inner for row in good):
        raise InvalidRequest("input_shape", f"Rows of input {made.takes[0].name!r} are not of the same size.")
    joined = np.zeros((count, *inner), DTYPES[made.to.datatype])
    for at, row in zip((at for at in range(count) if at not in bad), good, strict=True):
        joined[at] = row
    return joined


def _rows_of(sample: Any, count: int) -> Array:  # noqa: ANN401 - bytes or an array
    """The same row so many times."""
    if isinstance(sample, bytes):
        rows = np.empty(count, dtype=object)
        rows[:] = [sample] * count
        return rows
    return np.stack([sample] * count)


def _port(spec: Spec | Port) -> Port:
    return Port(spec.name, spec.datatype, tuple(spec.shape))
