"""Copies for a shadow, and what they show: how far its answers differ.

Requests that a shadow is to answer too are sent on once they are answered, with what the callers got; the shadow's
worker compares. Of a large tensor only the beginning is compared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from scurry.wire.infer_pb2 import InferReply, Tensor
from scurry.wire.messages_pb2 import Comparisons, Copies, Expected, Released, Request
from scurry.wire.names import CLAIM_CHECK_BYTES, EGRESS, ROUTER, TYPE_PREFIX
from scurry.wire.tensors import DTYPES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import LaneCall, Work
    from scurry.runtimes.port import Port

RELATIVE: Final = 1e-4
ABSOLUTE: Final = 1e-5
"""Floating point numbers are equal within these: rows stacked with others are not added up in the same order."""


def send_copies(lane_call: LaneCall, work: Work) -> None:
    """Copies of what was answered well leave with the answers; the inputs parked for them are theirs from now on."""
    if work.graph is not None:  # it was not answered here
        return
    for start, end, version in work.copied:
        copies = Copies(version=version)
        for item in (work.items or ())[start:end]:
            if item.failure is None:
                item.consumed = ()
                _copy(copies.requests.add(), item.request)
                copies.expected.append(_expected(item, work.ports, int(lane_call.busy * 1e6)))
        if copies.requests:
            lane_call.call.send(ROUTER, lane_call.model, f"{TYPE_PREFIX}Copies", copies.SerializeToString())


def _copy(copy: Request, request: Request) -> None:
    copy.CopyFrom(request)
    for field in ("reply", "deadline", "keep", "bulk", "attempt", "blame", "version", "stream", "uri"):
        copy.ClearField(field)


def _expected(item: BatchItem, ports: Sequence[Port], busy_micros: int) -> Expected:
    tensors = [
        Tensor(name=port.name, datatype=port.datatype, shape=shape, data=bytes(data[:CLAIM_CHECK_BYTES]))
        for port, (shape, data) in zip(ports, item.outputs, strict=True)
    ]
    return Expected(outputs=InferReply(outputs=tensors).SerializeToString(), busy_micros=busy_micros)


def judge(lane_call: LaneCall, work: Work, into: Comparisons) -> None:
    """Compare what copies got with what callers got, and let go of the inputs."""
    for item, expected in zip(work.items or (), work.expected, strict=True):
        if item.failure is not None:
            into.errors[item.failure.code] += 1
        else:
            equal, difference = compare(InferReply.FromString(expected.outputs).outputs, item, work.ports)
            into.compared += 1
            into.equal += equal
            into.max_abs_diff = max(into.max_abs_diff, difference)
            into.primary_micros += expected.busy_micros
            into.shadow_micros += int(lane_call.busy * 1e6)
        if item.consumed:
            released = Released(id=item.request.id, keys=item.consumed)
            lane_call.call.egress(EGRESS, f"{TYPE_PREFIX}Released", released.SerializeToString())


def compare(expected: Sequence[Tensor], item: BatchItem, ports: Sequence[Port]) -> tuple[bool, float]:
    """Whether outputs are equal, and the largest difference between two finite numbers of tensors that are alike."""
    got = {port.name: (port.datatype, *piece) for port, piece in zip(ports, item.outputs, strict=True)}
    equal, most = len(got) == len(expected), 0.0
    for tensor in expected:
        datatype, shape, data = got.get(tensor.name, ("", (), b""))
        if (datatype, list(shape)) != (tensor.datatype, list(tensor.shape)):
            equal = False
        else:
            same, difference = _difference(datatype, tensor.data, bytes(data[:CLAIM_CHECK_BYTES]))
            equal, most = equal and same, max(most, difference)
    return equal, most


def _difference(datatype: str, one: bytes, other: bytes) -> tuple[bool, float]:
    if one == other or datatype == "BYTES":
        return one == other, 0.0
    left, right = (np.frombuffer(each, DTYPES[datatype]).astype(np.float64) for each in (one, other))
    with np.errstate(invalid="ignore"):
        differences = np.abs(left - right)
    finite = differences[np.isfinite(differences)]
    exact = not np.issubdtype(DTYPES[datatype], np.floating)
    same = not exact and np.allclose(left, right, RELATIVE, ABSOLUTE, equal_nan=True)
    return bool(same), float(finite.max(initial=0.0))
