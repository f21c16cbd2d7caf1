"""Requests computed in a child process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.unit.inference.toys import Toy, body, call, left, request, row, sent

from scurry.endpoint.call import Call
from scurry.inference import placement
from scurry.inference.function import Inference
from scurry.wire.errors import Failed
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import Done, Replies


async def serve(inference: Inference, *calls: Call) -> None:
    """Serve all of them."""
    done: list[Call] = []
    await asyncio.wait_for(inference.serve(calls, done.append), 10)
    assert len(done) == len(calls)


async def test_what_lost_its_worker_computes_in_a_child(inference, children, shop):
    """A child's death names the culprit, which is answered and kept; the others of its call have their answers."""
    toy = Toy()
    shop.toys["m"] = lambda: toy
    requests = [request(at, body(x=row(value, 2))) for at, value in enumerate((1, 13, 14, 15, 2))]
    requests[1].attempt, requests[1].blame = 2, 1
    one = call(sent(*requests, solo=True, report=True), key="m@1/solo/t")
    await serve(inference, one)
    replies, (letter,) = left(one)
    assert replies == {
        "r0": [[2, 3]],
        "r1": "worker_lost",
        "r2": "deadline_exceeded",
        "r3": "model_failed",
        "r4": [[3, 3]],
    }
    assert (letter.request.id, letter.attempts, letter.request.attempt, letter.request.blame) == ("r1", 3, 0, 0)
    assert letter.cause.startswith("worker_lost: The process that ran this request alone was lost: it ended with")
    assert (toy.seen, len(children.asked)) == ([], 5)


async def test_what_ends_the_process_of_its_model_twice_is_buried(inference, shop):
    """A batch whose process ended is run again one by one: its neighbours have answers, the culprit is kept."""

    def function(x):
        if (x == 13).any():
            raise Failed("worker_lost", "The process of the model was lost.")
        return [x + 1]

    toy = Toy(function)
    toy.thread = ThreadPoolExecutor(1)
    shop.toys["m"] = lambda: toy
    one = call(sent(*(request(at, body(x=row(value, 2))) for at, value in enumerate((1, 13, 2)))))
    await serve(inference, one)
    toy.thread.shutdown()
    replies, (letter,) = left(one)
    assert replies == {"r0": [[2, 3]], "r1": "worker_lost", "r2": [[3, 3]]}
    assert (letter.request.id, letter.cause[:11]) == ("r1", "worker_lost")


async def test_a_deadline_limits_a_child(inference, children):
    """Nobody computes for longer than somebody waits."""
    one = call(sent(request(0, body(x=row(1, 2)), deadline=100_500), request(1, body(x=row(1, 2))), solo=True))
    await serve(inference, one)
    assert [asked[3] for asked in children.asked] == [pytest.approx(0.5), placement.HANG_SECONDS]


async def test_what_is_buried_keeps_what_is_parked(inference, payloads, children):
    """It may be sent again: its parked input is not named as consumed."""

    key = "ns:payload:r0:in:x"
    payloads.parked[key] = row(13, 2).tobytes()
    parked = InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=[1, 2], payload=key)]).SerializeToString()
    one = call(sent(request(0, parked), solo=True))
    await serve(inference, one)
    replies = [
        reply
        for each in one.response.invocation_result.outgoing_egresses
        if each.argument.typename.endswith("Replies")
        for reply in Replies.FromString(each.argument.value).replies
    ]
    assert [(reply.error, list(reply.consumed)) for reply in replies] == [("worker_lost", [])]


@pytest.mark.parametrize(
    ("key", "asked", "suspicious"),
    [
        ("m@1/solo/t", (1, 0), False),
        ("m@1/solo/t", (13, 0), True),  # ends its child
        ("m@1/solo/t", (14, 0), True),  # hangs
        ("m@1/solo/t", (14, 100_500), False),  # its time was over first
        ("m@1/solo/t", (15, 0), True),  # fails, and its worker was lost
        ("m@1/0", (13, 0), True),
        ("m@1/0", (15, 0), False),
    ],
)
async def test_the_router_hears_who_was_to_blame(inference, shop, key, asked, suspicious):
    """By the report that every request that runs alone makes."""
    shop.toys["m"] = Toy
    value, deadline = asked
    one = call(sent(request(0, body(x=row(value, 2)), deadline=deadline), solo=True, report=True), key=key)
    await serve(inference, one)
    (done,) = [
        Done.FromString(out.argument.value)
        for out in one.response.invocation_result.outgoing_messages
        if out.argument.typename.endswith("Done")
    ]
    assert done.suspicious is suspicious
