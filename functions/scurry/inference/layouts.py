"""Checks requests against a model's signature, each layout once.

Requests to one model look alike. A *layout* is what a request says about its tensors: names, datatypes, shapes. It is
checked once and remembered. One step further, the bytes of a serialised `InferRequest` with a single tensor are its
layout followed by the data: a request that begins with known bytes and has their length need not be parsed at all.
Pure: takes and returns values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod
from typing import TYPE_CHECKING, Any, Final

from scurry.inference.ragged import pad_layout
from scurry.inference.sizes import BatchSizes
from scurry.runtimes.sequences import shown
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.limits import DIMENSIONS, OUTPUTS
from scurry.wire.sequences import PARAMETERS
from scurry.wire.tensors import DATA_TAG, DTYPES, before_data, varint

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.runtimes.padding import Padding
    from scurry.runtimes.port import Port
    from scurry.runtimes.runtime import Runtime

REMEMBERED: Final = 512
"""Layouts kept per model: models with free dimensions meet many."""
LONG_BYTES: Final = 64 * 1024
"""Serialised requests above this are parsed by protobuf; comparing their beginning saves nothing."""
PROTOCOL_PARAMETERS: Final = frozenset({"binary_data_output", "headers", "priority", "timeout"})
"""What a request's parameters say to the doors, not to a model."""
StatedInputs = tuple[tuple[str, str, tuple[int, ...]], ...]


@dataclass(frozen=True, slots=True)
class InputLayout:
    """What requests of one look have in common. Requests whose `group` is equal may be stacked."""

    rows: int
    group: tuple[tuple[str, Any], ...]
    shapes: tuple[tuple[int, ...], ...]
    sizes: tuple[int, ...]
    order: tuple[int, ...]
    padded: tuple[Padding, ...] = ()  # empty: no input is padded
    parameters: tuple[tuple[str, bool | int | float | str], ...] = ()  # of the request, for a model that takes any


class LayoutCache:
    """The layouts of one model."""

    def __init__(self, model: Runtime) -> None:
        self.inputs, self.outputs = shown(model)
        self.batched: bool = model.batched
        options = model.options
        self.keeps_sequences: bool = model.sequences is not None
        limit = model.max_batch_size if model.batched else 1
        padded = options.batch_padding and not self.keeps_sequences  # whose states would not be
        self.sizes = BatchSizes(limit, options.preferred_batch_size, padded=padded)
        self.padding = options.padding
        self.takes_parameters: bool = model.takes_parameters
        self._known: dict[StatedInputs, InputLayout] = {}
        self._beginnings: dict[int, tuple[bytes, InputLayout]] = {}
        self._heads: dict[tuple[int, tuple[int, ...]], bytes] = {}
        self.step: tuple[bytes, int, InputLayout] | None = None  # how a step begins, bytes of its data, its layout

    def beginning(self, size: int) -> tuple[bytes, InputLayout] | None:
        """What a body of so many bytes mostly begins with; one that does has this layout, and what follows is data."""
        return self._beginnings.get(size)

    def remember(self, body: bytes, request: InferRequest, layout: InputLayout) -> None:
        """Keep the beginning of a body that is one tensor with its data at the end, and nothing else."""
        if len(request.inputs) != 1 or request.outputs or request.parameters or len(body) > LONG_BYTES:
            return
        data = request.inputs[0].data
        beginning = body[: len(body) - len(data)]
        if data and layout.sizes[0] == len(data) and beginning.endswith(DATA_TAG + varint(len(data))):
            self._beginnings[len(body)] = (beginning, layout)
            if len(self._beginnings) > REMEMBERED:
                self._beginnings.clear()

    def remember_step(self, body: bytes, request: InferRequest, layout: InputLayout) -> None:
        """Keep how a step of a sequence begins that is one tensor and parameters behind it, and nothing else."""
        if len(request.inputs) != 1 or request.outputs or layout.sizes[0] <= 0 or len(body) > LONG_BYTES:
            return
        one = request.inputs[0]
        beginning = before_data(one.name, one.datatype, tuple(one.shape), layout.sizes[0])
        if body.startswith(beginning):
            self.step = beginning, layout.sizes[0], layout

    def check(self, request: InferRequest) -> InputLayout:
        """The layout of a request. Raises `InvalidRequest` with what came and what is expected."""
        for each in request.inputs:
            if len(each.shape) > DIMENSIONS:
                sentence = f"Input {each.name!r} came with {len(each.shape)} dimensions; at most {DIMENSIONS} may be."
                raise InvalidRequest("input_rank", sentence)
        stated = tuple([(each.name, each.datatype, tuple(each.shape)) for each in request.inputs])
        layout = self._known.get(stated)
        if layout is None:
            layout = check_layout(self.inputs, stated, batched=self.batched)
            if self.padding:
                layout = pad_layout(layout, self.inputs, self.padding)
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[stated] = layout
        return layout

    def told(self, layout: InputLayout, request: InferRequest) -> InputLayout:
        """The layout with the parameters that come with a request: only requests with the same ones are stacked."""
        if not self.takes_parameters:
            return layout
        given = request.parameters
        parameters = tuple(
            (name, getattr(each, each.WhichOneof("value") or "string_value"))
            for name, each in sorted(given.items())
            if name not in PROTOCOL_PARAMETERS and name not in PARAMETERS
        )
        return replace(layout, parameters=parameters, group=(*layout.group, *parameters)) if parameters else layout

    def wanted(self, names: Sequence[str]) -> tuple[int, ...]:
        """Places of the outputs that a request asks for. Raises `output_name`."""
        if len(names) > OUTPUTS:
            raise InvalidRequest("output_name", f"{len(names)} outputs are asked for; at most {OUTPUTS} may be.")
        if len(set(names)) < len(names):
            twice = next(name for name in names if list(names).count(name) > 1)
            raise InvalidRequest("output_name", f"Output {twice!r} is asked for more than once.")
        places = {port.name: at for at, port in enumerate(self.outputs)}
        for name in names:
            if name not in places:
                have = _listed(places)
                raise InvalidRequest("output_name", f"The model has no output {name!r}; it has {have}.")
        return tuple(places[name] for name in names)

    def head(self, at: int, shape: tuple[int, ...], size: int) -> bytes:
        """What comes before the `size` bytes of output `at` in a serialised `InferReply`."""
        head = self._heads.get((at, shape))
        if head is None:
            port = self.outputs[at]
            head = before_data(port.name, port.datatype, shape, size)
            if port.datatype != "BYTES":
                if len(self._heads) >= REMEMBERED:
                    self._heads.clear()
                self._heads[at, shape] = head
        return head


def check_layout(inputs: Sequence[Port], stated: StatedInputs, *, batched: bool) -> InputLayout:
    """Hold what a request says of its tensors against the model's inputs."""
    places: dict[str, int] = {}
    for at, (name, _, _) in enumerate(stated):
        if name in places:
            raise InvalidRequest("input_name", f"Input {name!r} came twice.")
        places[name] = at
    expected = {port.name for port in inputs}
    extra = [name for name in places if name not in expected]
    if extra:
        raise InvalidRequest("input_name", f"The model has no input {extra[0]!r}; it takes {_listed(expected)}.")
    shapes = tuple(
        _checked(port, stated[places[port.name]]) if port.name in places else _absent(port) for port in inputs
    )
    rows = _rows(inputs, shapes) if batched else 0
    group = tuple((port.datatype, shape[1:] if batched else shape) for port, shape in zip(inputs, shapes, strict=True))
    sizes = tuple(
        -1 if port.datatype == "BYTES" else prod(shape) * DTYPES[port.datatype].itemsize
        for port, shape in zip(inputs, shapes, strict=True)
    )
    return InputLayout(rows, group, shapes, sizes, tuple(places[port.name] for port in inputs))


def _absent(port: Port) -> tuple[int, ...]:
    raise InvalidRequest("input_name", f"Input {port.name!r} is missing ({port.datatype} {list(port.shape)}).")


def _checked(port: Port, stated: tuple[str, str, tuple[int, ...]]) -> tuple[int, ...]:
    name, datatype, shape = stated
    if datatype != port.datatype:
        raise InvalidRequest("input_datatype", f"Input {name!r} came as {datatype}; the model takes {port.datatype}.")
    if len(shape) != len(port.shape):
        raise InvalidRequest(
            "input_rank",
            f"Input {name!r} came with {len(shape)} dimensions {list(shape)}; the model takes {len(port.shape)}, "
            f"{list(port.shape)}.",
        )
    if any(size < 0 or want not in (-1, size) for size, want in zip(shape, port.shape, strict=True)):
        raise InvalidRequest(
            "input_shape",
            f"Input {name!r} came with shape {list(shape)}; the model takes {list(port.shape)} (-1: any size).",
        )
    return shape


def _rows(inputs: Sequence[Port], shapes: Sequence[tuple[int, ...]]) -> int:
    rows = {shape[0] for shape in shapes}
    if len(rows) > 1:
        stated = ", ".join(f"{port.name!r} {list(shape)}" for port, shape in zip(inputs, shapes, strict=True))
        raise InvalidRequest("input_shape", f"The inputs' first dimension, the batch, must be the same: {stated} came.")
    return rows.pop() if rows else 0


def _listed(names: object) -> str:
    return ", ".join(map(repr, sorted(names)))  # type: ignore[call-overload]
