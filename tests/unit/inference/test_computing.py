"""Where requests are computed, and what becomes of those that do not come back."""

from __future__ import annotations

import asyncio
import threading
import time

import numpy as np
from tests.unit.inference.toys import DictPayloads, Toy, body, call, left, mail, request, row, sent

from scurry.endpoint.call import Call
from scurry.inference import placement
from scurry.inference.computing import Computing
from scurry.inference.function import Inference
from scurry.inference.lane_call import LaneCall
from scurry.inference.shelf import Shelf
from scurry.runtimes.port import Port
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.messages_pb2 import Done
from scurry.wire.names import Keys


async def serve(inference: Inference, *calls: Call) -> None:
    """Serve all of them."""
    done: list[Call] = []
    await asyncio.wait_for(inference.serve(calls, done.append), 10)
    assert len(done) == len(calls)


async def test_a_quick_model_runs_in_the_loop_also_on_what_was_parked(inference, payloads, shop):
    """A thread would cost more than the model."""
    threads = []

    def function(x):
        threads.append(threading.current_thread() is threading.main_thread())
        return [x + 1]

    shop.toys["m"] = lambda: Toy(function)
    payloads.parked["ns:payload:r0:in:x"] = row(1, 2).tobytes()
    parked = InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=[1, 2], payload="ns:payload:r0:in:x")])
    for _ in range(2):
        one = call(sent(request(0, parked.SerializeToString())))
        await serve(inference, one)
        assert left(one)[0] == {"r0": [[2, 3]]}
    assert threads[-1]


async def test_a_model_that_does_not_come_back_is_given_up(inference, children, shop, monkeypatch):
    """Its requests are answered, its lane is free, other models have their threads; from then on it has a child."""
    monkeypatch.setattr(placement, "HANG_SECONDS", 0.05)
    monkeypatch.setattr(placement, "HANG_RUNS", 0)
    free = threading.Event()

    def hang(x):
        free.wait(10)
        return [x]

    shop.toys["m"] = lambda: Toy(hang, inputs=FREE, outputs=FREE)
    one, two = (call(sent(request(at, body(x=row(1, 2))), report=True)) for at in range(2))
    await serve(inference, one)
    assert left(one)[0] == {"r0": "deadline_exceeded"}
    assert len(mail(one, Done)) == 1
    await serve(inference, two)
    assert (left(two)[0], len(children.asked)) == ({"r1": [[2, 3]]}, 1)
    free.set()


async def test_who_was_asked_beside_one_that_hangs_is_answered(inference, children, shop, monkeypatch):
    """One request stops the model: the others are computed apart, and it alone is given up."""
    monkeypatch.setattr(placement, "HANG_SECONDS", 0.05)
    monkeypatch.setattr(placement, "HANG_RUNS", 0)
    free = threading.Event()

    def hang_at_nine(x):
        if (x == 9).any():
            free.wait(10)
        return [x]

    async def run(key, spec, arrays, limit, *, quick=False):
        children.asked.append(arrays)
        if (arrays[0] == 9).any():
            raise TimeoutError
        return [arrays[0] + 1]

    monkeypatch.setattr(children, "run", run)
    shop.toys["m"] = lambda: Toy(hang_at_nine, inputs=FREE, outputs=FREE)
    one = call(sent(*(request(at, body(x=row(at, at))) for at in (1, 9, 2)), report=True))
    await serve(inference, one)
    assert left(one)[0] == {"r1": [[2, 2]], "r9": "deadline_exceeded", "r2": [[3, 3]]}
    ((*_, done),) = mail(one, Done)
    assert done.suspicious
    free.set()


FREE = (Port("x", "FP32", (-1, -1)),)


async def test_rows_decide_not_requests(inference, shelf):
    """One request of very many rows does not run in the loop."""
    threads: list[str] = []

    def where(x):
        threads.append(threading.current_thread().name)
        return [x]

    shelf._opener.toys["m"] = lambda: Toy(where)
    await serve(inference, call(sent(request(0, body(x=row(1, 2))))))
    loaded = shelf.find(("m", "1"), sent().spec)
    loaded.pace.seconds = placement.INLINE_SECONDS / 2
    for rows in (1, 8, 12):
        await serve(inference, call(sent(request(0, body(x=np.zeros((rows, 2), np.float32))))))
        loaded.pace.seconds = placement.INLINE_SECONDS / 2
    assert [name.startswith("quick") for name in threads[1:]] == [False, False, True]


async def test_what_depends_on_its_input_never_runs_in_the_loop(inference, shelf):
    """Free dimensions, or a model that never showed its time."""
    threads: list[str] = []

    def where(x):
        threads.append(threading.current_thread().name)
        return [x]

    shelf._opener.toys["m"] = lambda: Toy(where, inputs=FREE, outputs=FREE)
    for _ in range(2):
        await serve(inference, call(sent(request(0, body(x=row(1, 2))))))
    assert all(name.startswith("quick") for name in threads)


async def test_without_children_what_would_have_one_runs_in_a_thread(shop):
    """So that a harness needs no process."""
    inference = Inference(Shelf(shop, 1000), DictPayloads())
    one = call(sent(request(0, body(x=row(1, 2))), solo=True))
    await serve(inference, one)
    assert left(one)[0] == {"r0": [[2, 3]]}
    await inference.close()


async def test_repr_says_with_what(payloads):
    """Threads and children."""
    computing = Computing(payloads, Keys(), time.time)
    assert repr(computing).startswith("<Computing in <Threads ")
    assert LaneCall(call(sent(request(0, b"")))).works[0].rows == 1
    await computing.close()
