"""Requests of a graph: checked here, run by `scurry/graph`.

What is wrong with a request is said at once, in the words of the graph's own signature. What is right goes on as the
beginning of a run; nothing is answered for it here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scurry.protocols.cluster_serving import is_cluster_serving
from scurry.wire.errors import InvalidRequest
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import GraphStart
from scurry.wire.names import GRAPH, TYPE_PREFIX

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.endpoint.call import Call
    from scurry.inference.items import BatchItem
    from scurry.inference.lane_call import Work
    from scurry.inference.layouts import LayoutCache
    from scurry.wire.messages_pb2 import Graph

START: Final = f"{TYPE_PREFIX}GraphStart"
DEEPEST: Final = 8
"""Graphs within graphs."""


def answered(call: Call, work: Work, version: str) -> Sequence[BatchItem]:
    """The items that are answered here: of a graph only those that are wrong, the others begin to run."""
    if work.graph is None:
        return work.items or ()
    return begin_runs(call, work, *work.graph, version)


def begin_runs(call: Call, work: Work, graph: Graph, layouts: LayoutCache, version: str) -> list[BatchItem]:
    """Send the beginning of each run; returns the items that are answered here, because they failed."""
    failed: list[BatchItem] = []
    for item in work.items or ():
        key = _key(item)
        if item.failure is None and key.count("/") > DEEPEST:
            item.fail(InvalidRequest("bad_request", f"Graphs within graphs nest deeper than {DEEPEST}."))
        if item.failure is not None:
            failed.append(item)
            continue
        start = GraphStart(request=item.request, version=version, graph=graph, parked=item.consumed)
        start.request.ClearField("body")
        if is_cluster_serving(item.request.encoding):
            start.request.batched = not item.added  # as its answer is to be
        start.inputs = _inputs(item, layouts)
        call.send(GRAPH, key, START, start.SerializeToString())
    return failed


def _key(item: BatchItem) -> str:
    """The run's own name: what it was read from; within another graph, that one's and the step."""
    request = item.request
    return f"{request.run}/{request.step}" if request.run else (request.entry or request.id).replace("/", ":")


def _inputs(item: BatchItem, layouts: LayoutCache) -> bytes:
    """The request as it was checked; what is parked stays where it is."""
    parked = dict(item.needs or ())
    request = InferRequest()
    for at, port in enumerate(layouts.inputs):
        tensor = Tensor(name=port.name, datatype=port.datatype, shape=item.layout.shapes[at])  # type: ignore[union-attr]
        if at in parked:
            tensor.payload = parked[at]
        else:
            tensor.data = bytes(item.data[at])
        request.inputs.append(tensor)
    request.outputs.extend(layouts.outputs[at].name for at in item.wanted or ())
    return request.SerializeToString()
