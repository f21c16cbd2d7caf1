"""The rule of a run: whom to ask, and what the caller gets.

A run knows tensors by the graph's own names. A step can be asked once all its inputs are known, and is asked once; the
run is over with the last output, or with the first step that fails. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from scurry.wire.errors import Failed, InvalidRequest, ScurryError, error
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.messages_pb2 import ENCODING_REQUEST, GraphRun, GraphStart, GraphStep, Reply, Request


def begin(start: GraphStart) -> GraphRun:
    """The run of a request; its inputs are the tensors known."""
    run = GraphRun(start=start)
    run.start.ClearField("inputs")
    given = InferRequest.FromString(start.inputs)
    for tensor in given.inputs:
        run.tensors[tensor.name] = tensor.SerializeToString()
    del given.inputs[:]
    run.start.inputs = given.SerializeToString()
    return run


def ready(run: GraphRun, key: str) -> list[Request]:
    """Requests to the models whose turn it is; they count as sent. `key` is the run's own."""
    requests = []
    for number, step in enumerate(run.start.graph.steps):
        if number not in run.sent and all(name in run.tensors for name in step.inputs.values()):
            run.sent.append(number)
            requests.append(_request(run, key, number, step))
    return requests


_OWN: Final = (
    "payload", "reply", "attempt", "blame", "epoch", "run", "step", "encoding", "digest", "stream", "uri", "batched",
)  # fmt: skip
"""What a request has for itself, and not for the steps that answer it."""


def _request(run: GraphRun, key: str, number: int, step: GraphStep) -> Request:
    """One step, with the id of the whole: what is parked under it may be read."""
    body = InferRequest(outputs=sorted(step.outputs))
    body.MergeFrom(InferRequest(parameters=InferRequest.FromString(run.start.inputs).parameters))
    for name, source in sorted(step.inputs.items()):
        tensor = Tensor.FromString(run.tensors[source])
        tensor.name = name
        body.inputs.append(tensor)
    request = Request()
    request.CopyFrom(run.start.request)
    for field in _OWN:
        request.ClearField(field)
    request.model, request.version, request.encoding = step.model, step.version, ENCODING_REQUEST
    request.body, request.run, request.step = body.SerializeToString(), key, number
    return request


def take(run: GraphRun, reply: Reply) -> bool:
    """Note what a step answered; False when it is known already. Raises `ScurryError` when the step failed."""
    step = _step(run, reply)
    if step is None:
        return False
    run.done.append(reply.step)
    run.parked.extend(reply.parked)
    if reply.error:
        raise _failure(reply, step)
    found = {tensor.name: tensor for tensor in InferReply.FromString(reply.body).outputs}
    for name, target in step.outputs.items():
        if name not in found:
            raise Failed("model_failed", f"{_named(reply.step, step)} gave no output {name!r}.")
        found[name].name = target
        run.tensors[target] = found[name].SerializeToString()
    return True


def _step(run: GraphRun, reply: Reply) -> GraphStep | None:
    """The step that is answered; None for what was never asked, or answered before."""
    if reply.step in run.done or reply.step not in run.sent:
        return None
    return run.start.graph.steps[reply.step]


def _named(number: int, step: GraphStep) -> str:
    return f"Step {number + 1} (model {step.model!r})"


def _failure(reply: Reply, step: GraphStep) -> ScurryError:
    """The step's own code, and which one it was."""
    return error(reply.error, f"{_named(reply.step, step)}: {reply.message}")


def is_over(run: GraphRun) -> bool:
    """Whether all outputs of the graph are known."""
    return all(name in run.tensors for name in run.start.graph.outputs)


def result(run: GraphRun) -> InferReply:
    """What the caller gets. Raises `output_name` for an output that the graph has not."""
    asked = list(InferRequest.FromString(run.start.inputs).outputs)
    have = list(run.start.graph.outputs)
    for name in asked:
        if name not in have:
            sentence = f"The model has no output {name!r}; it has {', '.join(map(repr, have))}."
            raise InvalidRequest("output_name", sentence)
    return InferReply(outputs=[Tensor.FromString(run.tensors[name]) for name in asked or have])


def keys(run: GraphRun) -> Iterator[str]:
    """Everything that is parked for the run, each key once."""
    return iter(dict.fromkeys((*run.start.parked, *run.parked)))
