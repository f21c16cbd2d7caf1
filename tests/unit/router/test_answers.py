"""What the router itself tells callers."""

from __future__ import annotations

from tests.unit.router.asking import given_up, serve

from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import (
    Request,
    Requests,
)


async def test_parked_inputs_of_a_refused_request_are_given_up() -> None:
    """Nobody will read them any more, so the egress may delete them."""
    body = InferRequest(inputs=[Tensor(name="x", payload="p:1"), Tensor(name="y", data=b"")]).SerializeToString()
    asked = Requests(
        requests=[Request(id="a", body=body), Request(id="b", payload="p:2"), Request(id="c", body=b"\xff")]
    )
    out = await given_up(await serve(None, asked))
    assert [list(reply.consumed) for reply in out.replies] == [["p:1"], ["p:2"], []]


async def test_a_defect_becomes_bad_request_and_a_dead_letter() -> None:
    """The reply needs somebody to hear it; the letter has the raw fields."""
    defects = Requests()
    defects.requests.add(id="1-0", defect="No model.", fields={"a": b"\xff"})
    defects.requests.add(defect="No id either.", fields={"b": b""})
    out = await serve(None, defects, key="!")
    assert [(reply.id, reply.error, reply.message, reply.model) for reply in out.replies] == [
        ("1-0", "bad_request", "No model.", "")
    ]
    assert [(dict(letter.fields), letter.cause) for letter in out.dead] == [
        ({"a": b"\xff"}, "bad_request: No model."),
        ({"b": b""}, "bad_request: No id either."),
    ]
    assert not out.kept
