"""The rule of a run."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.graph.run import begin, is_over, keys, ready, result, take
from scurry.wire.errors import Failed, InvalidRequest, NotFound
from scurry.wire.infer_pb2 import InferReply, InferRequest, Parameter
from scurry.wire.messages_pb2 import ENCODING_INPUTS, Graph, GraphRun, GraphStart, GraphStep, Reply, Request
from scurry.wire.tensors import to_tensor

ONE = np.ones((1, 2), np.float32)
GRAPH = Graph(
    steps=[
        GraphStep(model="a", inputs={"x": "image"}, outputs={"y": "mid"}),
        GraphStep(model="b", version="7", inputs={"x": "mid", "z": "image"}, outputs={"y": "label"}),
    ],
    outputs=["label", "mid"],
)


def run_of(*outputs: str, **fields) -> GraphRun:
    """A run that has just begun."""
    inputs = InferRequest(inputs=[to_tensor("image", ONE)], outputs=outputs)
    inputs.parameters["beam"].CopyFrom(Parameter(int_value=3))
    request = Request(id="r", entry="s/1", model="g", reply="back", tenant="t", key="k", deadline=5, **fields)
    request.bulk = True
    start = GraphStart(request=request, version="2", graph=GRAPH, inputs=inputs.SerializeToString(), parked=["in"])
    return begin(start)


def answer(step: int, value: float = 2, **fields) -> Reply:
    """What a model answers."""
    body = InferReply(outputs=[to_tensor("y", ONE * value)]).SerializeToString()
    return Reply(id="r", run="s:1", step=step, version="9", body=body, **fields)


def test_a_step_is_asked_once_all_it_takes_is_known() -> None:
    """Under the id of the whole, with its tenant, key, deadline and parameters, and for the run."""
    run = run_of(encoding=ENCODING_INPUTS, payload="body", digest=b"d", attempt=3)
    (first,) = ready(run, "s:1")
    assert ready(run, "s:1") == []
    assert (first.id, first.entry, first.model, first.version, first.run, first.step) == ("r", "s/1", "a", "", "s:1", 0)
    assert (first.tenant, first.key, first.deadline, first.bulk) == ("t", "k", 5, True)
    assert (first.reply, first.payload, first.digest, first.encoding, first.attempt) == ("", "", b"", 0, 0)
    body = InferRequest.FromString(first.body)
    assert ([each.name for each in body.inputs], list(body.outputs)) == (["x"], ["y"])
    assert body.parameters["beam"].int_value == 3
    assert take(run, answer(0))
    (second,) = ready(run, "s:1")
    assert (second.model, second.version, second.step) == ("b", "7", 1)
    assert [each.name for each in InferRequest.FromString(second.body).inputs] == ["x", "z"]


def test_the_run_is_over_with_the_last_output() -> None:
    """In the order asked for, under the graph's names."""
    run = run_of("mid", "label")
    for number in range(2):
        assert not is_over(run)
        ready(run, "s:1")
        take(run, answer(number, number, parked=[f"out{number}"]))
    assert is_over(run)
    assert [each.name for each in result(run).outputs] == ["mid", "label"]
    assert list(keys(run)) == ["in", "out0", "out1"]


def test_an_answer_that_nobody_waits_for_is_left_out() -> None:
    """A step that answered already, or was never asked."""
    run = run_of()
    assert not take(run, answer(0))
    ready(run, "s:1")
    assert take(run, answer(0))
    before = run.SerializeToString(deterministic=True)
    assert not take(run, answer(0, 5))
    assert not take(run, answer(1))
    assert run.SerializeToString(deterministic=True) == before


def test_a_failing_step_ends_it_with_its_own_code() -> None:
    """And with its number."""
    run = run_of()
    ready(run, "s:1")
    with pytest.raises(NotFound, match=r"Step 1 \(model 'a'\): gone") as caught:
        take(run, Reply(step=0, error="model_not_found", message="gone"))
    assert caught.value.code == "model_not_found"


def test_what_lacks_is_said() -> None:
    """A step without the output, a caller who asks for one that is none."""
    run = run_of("nothing")
    ready(run, "s:1")
    with pytest.raises(Failed, match="gave no output 'y'"):
        take(run, Reply(step=0, body=InferReply().SerializeToString()))
    with pytest.raises(InvalidRequest, match="no output 'nothing'; it has 'label', 'mid'"):
        result(run)
