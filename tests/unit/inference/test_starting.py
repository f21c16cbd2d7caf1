"""Runs that a worker begins."""

from __future__ import annotations

from tests.unit.inference.toys import Toy, body, call, mail, replies, request, row, sent

from scurry.inference.items import claim
from scurry.inference.lane_call import LaneCall
from scurry.inference.layouts import LayoutCache
from scurry.inference.starting import answered
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import Done, Graph, GraphStart, GraphStep, Reply
from scurry.wire.names import GRAPH, Keys

STEPS = Graph(steps=[GraphStep(model="a")], outputs=["y"])


def lane_call(*requests) -> LaneCall:
    """A call for a graph, claimed."""
    made = LaneCall(call(sent(*requests, report=True)))
    layouts = LayoutCache(Toy())
    (work,) = made.works
    work.items = claim(work.requests, layouts, Keys("ns"))
    work.graph = STEPS, layouts
    return made


def test_what_is_right_begins_and_what_is_wrong_is_answered():
    """Both count as done for the lane."""
    made = lane_call(request(0, body(x=row(1, 2))), request(1, body(z=row(1, 2))))
    made.finish(0)
    ((function, key, start),) = mail(made.call, GraphStart)
    assert (function, key, start.version, start.graph) == (GRAPH, "s:0", "1", STEPS)
    assert (start.request.id, start.request.body) == ("r0", b"")
    (tensor,) = InferRequest.FromString(start.inputs).inputs
    assert (tensor.name, list(tensor.shape), tensor.data) == ("x", [1, 2], row(1, 2).tobytes())
    assert [(each.id, each.error) for each in replies(made.call)] == [("r1", "input_name")]
    assert len(mail(made.call, Done)) == 1


def test_a_parked_tensor_stays_parked():
    """Its key goes along, and is known as to be deleted in the end."""
    key = "ns:payload:r0:in:x"
    parked = InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=(1, 2), payload=key)], outputs=["y"])
    made = lane_call(request(0, parked.SerializeToString()))
    made.finish(0)
    ((_, _, start),) = mail(made.call, GraphStart)
    inputs = InferRequest.FromString(start.inputs)
    assert (inputs.inputs[0].payload, list(inputs.outputs), list(start.parked)) == (key, ["y"], [key])


def test_a_run_within_a_run_has_a_name_of_its_own():
    """Up to a depth."""
    made = lane_call(
        request(0, body(x=row(1, 2)), run="s:1/2", step=3), request(1, body(x=row(1, 2)), run="a" + "/0" * 8)
    )
    made.finish(0)
    assert [key for _, key, _ in mail(made.call, GraphStart)] == ["s:1/2/3"]
    ((function, key, reply),) = mail(made.call, Reply)
    assert (function, key, reply.error) == (GRAPH, "a" + "/0" * 8, "bad_request")


def test_other_models_answer_themselves():
    """Every item."""
    made = lane_call(request(0, body(x=row(1, 2))))
    (work,) = made.works
    work.graph = None
    assert answered(made.call, work, "1") == work.items
