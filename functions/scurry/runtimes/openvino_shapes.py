"""Whether sizes fit a model of OpenVINO's, found before it runs.

Where they do not, OpenVINO (2026.4) raises no error: it answers without elements, and writes where it must not, so that
a later run, of any model, ends the process. So a copy of the graph without its weights is given the sizes first, which
infers every shape and raises. Sizes that fitted are remembered.
"""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from scurry.wire.errors import InvalidRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.port import Port
    from scurry.wire.tensors import Array

SMALL_BYTES: Final = 4096
"""Constants up to this stay: shapes may be made of them."""
MOST: Final = 10_000
"""Sizes that are remembered."""


class ShapeCheck:
    """The shapes of one model."""

    def __init__(self, openvino: Any, model: Any, inputs: Sequence[Port]) -> None:  # noqa: ANN401
        free = any(size < 0 for port in inputs for size in port.shape)
        self._graph = _without_weights(openvino, model) if free else None
        self._known: set[tuple[tuple[int, ...], ...]] = set()
        self._lock = Lock()

    def check(self, arrays: Sequence[Array]) -> None:
        """Raise `input_shape` where the arrays' sizes do not fit the model, or each other."""
        if self._graph is None:
            return
        sizes = tuple([array.shape for array in arrays])
        if sizes in self._known:
            return
        with self._lock:
            given = dict(zip(self._graph.inputs, map(list, sizes), strict=False))  # weights are inputs there, too
            try:
                self._graph.reshape(given)
            except RuntimeError as cause:
                came = ", ".join(str(list(shape)) for shape in sizes)
                why = str(cause).strip().splitlines()[-1]
                sentence = f"The inputs' sizes {came} do not fit the model: {why[:300]}"
                raise InvalidRequest("input_shape", sentence) from None
            if len(self._known) >= MOST:
                self._known.clear()
            self._known.add(sizes)


def _without_weights(openvino: Any, model: Any) -> Any:  # noqa: ANN401 - a framework that may be absent
    graph, places = model.clone(), []
    for each in graph.get_ops():
        if each.get_type_name() == "Constant" and each.get_byte_size() > SMALL_BYTES:
            place = openvino.opset1.parameter(list(each.get_output_shape(0)), each.get_output_element_type(0))
            each.output(0).replace(place.output(0))
            places.append(place)
    graph.add_parameters(places)
    return graph
