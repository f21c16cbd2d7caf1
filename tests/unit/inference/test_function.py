"""The inference function: calls in, answers out."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref

import numpy as np
import pytest
from tests.unit.inference.toys import Toy, body, call, kept, mail, replies, request, row, sent

from scurry.inference import computing, function
from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.messages_pb2 import Bounced, Done, Load, Loaded, ModelSpec, Unload
from scurry.wire.names import Keys
from scurry.wire.tensors import to_array


@pytest.fixture
async def inference(shelf, payloads):
    """The function under test."""
    made = Inference(shelf, payloads, keys=Keys("ns"), worker="here:1")
    yield made
    await made.close()


BODY = "ns:payload:r0:in:body"


async def serve(inference: Inference, *calls) -> list:
    """Serve, and tell in which order the calls were done."""
    order: list = []
    await asyncio.wait_for(inference.serve(calls, order.append), 10)
    assert sorted(map(id, order)) == sorted(map(id, calls))
    return order


def values(reply) -> list:
    """The numbers in a reply."""
    return to_array(InferReply.FromString(reply.body).outputs[0]).tolist()


async def test_a_call_is_answered_in_one_model_call(inference, shelf):
    """Requests of two messages share a model call, each gets its own answer."""
    toy = Toy()
    shelf._opener.toys["m"] = lambda: toy
    one = call(sent(request(0, body(x=row(1, 2))), request(1, body(x=row(3, 4)))), sent(request(2, body(x=row(5, 6)))))
    await serve(inference, one)
    assert [values(reply) for reply in replies(one)] == [[[2, 3]], [[4, 5]], [[6, 7]]]
    assert toy.seen == [(3, 2)]


async def test_a_model_that_is_not_here_is_opened_on_demand(inference, shop, shelf):
    """The spec that travels with the requests is enough; afterwards the model is at hand."""
    for _ in range(2):
        one = call(sent(request(0, body(x=row(1, 2)))))
        await serve(inference, one)
        assert values(replies(one)[0]) == [[2, 3]]
    assert shop.opened == ["m@1"]


async def test_a_model_that_cannot_be_opened_is_an_error_for_each(inference, shop):
    """The call itself never fails; the report still comes."""

    def broken() -> Toy:
        raise Failed("load_failed", "broken")

    shop.toys["m"] = broken
    one = call(sent(request(0, b""), request(1, b""), report=True))
    await serve(inference, one)
    assert [reply.error for reply in replies(one)] == ["load_failed", "load_failed"]
    assert [done.sequence for _, _, done in mail(one, Done)] == [2]


async def test_an_empty_call_that_asks_for_a_report_gets_it(inference, shop):
    """A flush needs no model."""
    one = call(sent(report=True))
    await serve(inference, one)
    assert len(mail(one, Done)) == 1
    assert shop.opened == []


async def test_load_and_unload(inference, shelf):
    """Loads are answered to the registry, unloads take the model off the shelf."""
    spec = ModelSpec(uri="toy", generation=3)
    one = call(Load(model="m", version="1", spec=spec))
    await serve(inference, one)
    assert [loaded.worker for _, _, loaded in mail(one, Loaded)] == ["here:1"]
    assert shelf.models == 1
    await serve(inference, call(Unload(model="m", version="1", generation=3)))
    assert shelf.models == 0


async def test_each_is_answered_by_the_registration_it_was_sent_to(inference, shop):
    """A call that carries requests to an old and a new registration of a version is answered by both."""
    for number in (1, 2):
        shop.toys["m"] = lambda number=number: Toy(lambda x: [x + number])
        one = call(sent(request(0, body(x=row(0, 0))), spec=ModelSpec(uri=f"u{number}", identity=f"i{number}")))
        await serve(inference, one)
    messages = [
        sent(request(at, body(x=row(0, 0))), spec=ModelSpec(uri=f"u{number}", identity=f"i{number}"))
        for at, number in enumerate((1, 2, 1))
    ]
    one = call(*messages)
    await serve(inference, one)
    assert {each.id: values(each) for each in replies(one)} == {"r0": [[1, 1]], "r1": [[2, 2]], "r2": [[1, 1]]}


async def test_a_late_request_does_not_bring_back_what_was_unloaded(inference, shop):
    """It goes back to the router, which knows what is routed now."""
    late = sent(request(0, body(x=row(1, 2))), spec=ModelSpec(uri="toy", identity="i"), report=True)
    await serve(inference, call(late), call(Unload(model="m", version="1", identity="i"), key="m@1/load/all"))
    before = list(shop.opened)
    one = call(late)
    await serve(inference, one)
    assert (replies(one), shop.opened) == ([], before)
    ((_, _, bounced),) = mail(one, Bounced)
    assert (bounced.executing, bounced.cause) == (False, "m version 1 was unloaded.")
    assert len(mail(one, Done)) == 1


async def test_a_report_says_how_long_the_lane_was_busy(inference):
    """Requests of calls that were not asked for a report are in the next one."""
    state = None
    for at, report in enumerate((False, False, True, True)):
        one = call(sent(request(at, body(x=row(1, 2))), report=report))
        one.state = state
        await serve(inference, one)
        state = kept(one)
        if report:
            assert state is None
            ((_, _, done),) = mail(one, Done)
            assert done.requests == (3 if at == 2 else 1)
            assert done.busy_micros > 0


async def test_a_slow_model_does_not_delay_a_quick_one(inference, shop):
    """In one exchange the quick answer leaves while the slow model still computes."""
    free = threading.Event()

    def wait(x):
        assert free.wait(10)
        return [x + 1]

    shop.toys["slow"] = lambda: Toy(wait)
    quick = call(sent(request(0, body(x=row(1, 2)))))
    await serve(inference, quick)
    slow = call(sent(request(1, body(x=row(3, 4)))), key="slow@1/0")
    quick = call(sent(request(2, body(x=row(5, 6)))))
    order: list = []

    def done(each) -> None:
        order.append(each)
        if each is quick:
            free.set()

    await asyncio.wait_for(inference.serve([slow, quick], done), 10)
    assert order == [quick, slow]
    assert values(replies(slow)[0]) == [[4, 5]]


async def test_many_quick_calls_leave_the_loop_its_turns(inference, shop, monkeypatch):
    """Between calls the event loop gets a turn, so that heartbeats go on."""
    monkeypatch.setattr(function, "TURN_SECONDS", 0)
    await serve(inference, call(sent(request(0, body(x=row(1, 2))))))
    calls = [call(sent(request(at, body(x=row(at, at))))) for at in range(10)]
    turns: list[int] = []
    order: list = []

    async def others() -> None:
        while len(order) < len(calls):
            turns.append(len(order))
            await asyncio.sleep(0)

    await asyncio.gather(inference.serve(calls, order.append), others())
    assert len(set(turns)) >= 9


async def test_slow_models_run_off_the_loop(inference, shelf):
    """A model known to be slow computes in a thread."""
    threads: list[str] = []

    def where(x):
        threads.append(threading.current_thread().name)
        return [x]

    shelf._opener.toys["m"] = lambda: Toy(where)
    loaded = await shelf.load(("m", "1"), ModelSpec(uri="toy", generation=1))
    for seconds in (0.0, 0.005, 0.5):
        loaded.pace.seconds = seconds
        await serve(inference, call(sent(request(0, body(x=row(1, 2))))))
    assert threads[0] == threading.current_thread().name
    assert [name.partition("_")[0] for name in threads[1:]] == ["quick", "slow"]


async def test_parked_inputs_are_fetched_in_one_go(inference, payloads):
    """All that a call needs from Redis comes in one round trip, and is named as consumed."""
    keys = [f"ns:payload:r{at}:in:x" for at in range(3)]
    payloads.parked = {keys[0]: row(1, 2).tobytes(), keys[1]: row(3, 4).tobytes()}
    tensors = [Tensor(name="x", datatype="FP32", shape=[1, 2], payload=key) for key in keys]
    bodies = [InferRequest(inputs=[each]).SerializeToString() for each in tensors]
    one = call(sent(*(request(at, each) for at, each in enumerate(bodies)), request(3, body(x=row(5, 6)))))
    await serve(inference, one)
    first, second, missing, inline = replies(one)
    assert [values(each) for each in (first, second, inline)] == [[[2, 3]], [[4, 5]], [[6, 7]]]
    assert missing.error == "payload_missing"
    assert list(first.consumed) == keys[:1]
    assert payloads.fetches == [keys]


async def test_parked_bodies(inference, payloads):
    """A body that the ingress parked is fetched, and consumed."""
    payloads.parked = {BODY: body(x=row(1, 2))}
    one = call(sent(request(0, b"", payload=BODY)))
    await serve(inference, one)
    (reply,) = replies(one)
    assert (values(reply), list(reply.consumed)) == ([[2, 3]], [BODY])


async def test_without_the_store_only_those_fail_who_need_it(inference, payloads):
    """An outage of the payload store is `unavailable` for parked requests."""
    payloads.away = True
    one = call(sent(request(0, b"", payload=BODY), request(1, body(x=row(1, 2)))))
    await serve(inference, one)
    assert [reply.error for reply in replies(one)] == ["unavailable", ""]


WIDE = (Port("y", "FP32", (-1, 5000)),)


@pytest.mark.parametrize("times", [1, 2])
async def test_large_outputs_are_parked_before_the_reply_leaves(inference, shop, payloads, times):
    """Only a key travels; from the loop as from a thread."""
    shop.toys["m"] = lambda: Toy(lambda x: [np.repeat(x[:, :1], 5000, axis=1)], outputs=WIDE)
    for _ in range(times):
        one = call(sent(request(0, body(x=row(7, 2)))))
        await serve(inference, one)
    (reply,) = replies(one)
    (tensor,) = InferReply.FromString(reply.body).outputs
    assert tensor.payload.startswith("ns:payload:r0:out:")
    assert list(reply.parked) == [tensor.payload]
    assert (np.frombuffer(payloads.parked[tensor.payload], np.float32) == 7).all()
    assert len(payloads.parked) == times


@pytest.mark.parametrize("times", [1, 2])
async def test_what_cannot_be_parked_is_unavailable(inference, shop, payloads, times):
    """No reply refers to a payload that is not there."""
    shop.toys["m"] = lambda: Toy(lambda x: [np.repeat(x[:, :1], 5000, axis=1)], outputs=WIDE)
    payloads.away = True
    for _ in range(times):
        one = call(sent(request(0, body(x=row(7, 2)))))
        await serve(inference, one)
    (reply,) = replies(one)
    assert (reply.error, reply.body, list(reply.parked)) == ("unavailable", b"", [])


async def test_deadlines_are_checked_before_stacking(shelf, payloads):
    """Who waits no more does not cost the model a row."""
    toy = Toy()
    shelf._opener.toys["m"] = lambda: toy
    inference = Inference(shelf, payloads, clock=lambda: 100.0)
    one = call(sent(request(0, body(x=row(1, 2)), deadline=99_999), request(1, body(x=row(1, 2)), deadline=100_001)))
    await serve(inference, one)
    assert [reply.error for reply in replies(one)] == ["deadline_exceeded", ""]
    assert toy.seen == [(1, 2)]
    await inference.close()


async def test_solo_requests_run_one_by_one(inference, shelf):
    """What may have killed a worker shares a model call with nobody."""
    toy = Toy()
    shelf._opener.toys["m"] = lambda: toy
    for fields, key in (({}, "m@1/solo/t"), ({"solo": True}, "m@1/0")):
        one = call(sent(request(0, body(x=row(1, 2))), request(1, body(x=row(1, 2))), **fields), key=key)
        await serve(inference, one)
        assert [reply.error for reply in replies(one)] == ["", ""]
    assert toy.seen == [(1, 2)] * 4


@pytest.mark.parametrize("name", ["claim", "write_bodies", "batches"])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_fault_of_our_own_is_an_answer(inference, monkeypatch, name, times):
    """Whatever breaks inside, every request is answered and the report comes once."""
    if times == 2:
        await serve(inference, call(sent(request(0, body(x=row(1, 2))))))

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError("bug")

    monkeypatch.setattr(computing, name, breaks)
    one = call(sent(request(0, body(x=row(1, 2))), report=True))
    await serve(inference, one)
    assert [(reply.error, "RuntimeError: bug" in reply.message) for reply in replies(one)] == [("internal", True)]
    assert len(mail(one, Done)) == 1


async def test_models_in_use_survive_a_squeeze(shop, payloads):
    """With room for one model two may compute at once; then one leaves."""
    shelf = Shelf(shop, budget=100)
    barrier = threading.Barrier(2, timeout=10)

    def meet(x):
        barrier.wait()
        return [x]

    shop.toys["a"] = shop.toys["b"] = lambda: Toy(meet)
    inference = Inference(shelf, payloads)
    calls = [call(sent(request(0, body(x=row(1, 2)))), key=f"{name}@1/0") for name in "ab"]
    loaded = await shelf.load(("a", "1"), ModelSpec(uri="toy", generation=1))
    loaded.pace.seconds = 0.005
    await serve(inference, *calls)
    assert [replies(each)[0].error for each in calls] == ["", ""]
    assert shelf.models == 1
    assert repr(inference) == "<Inference worker: <Shelf 1 models, 0 of 0 MiB, 0 loading>>"
    await inference.close()


@pytest.mark.parametrize("warm", [True, False])
async def test_a_call_that_cannot_be_answered_harms_no_other(inference, shop, monkeypatch, warm):
    """It is left to go back to its router; the calls beside it are answered, quick or not."""
    if warm:
        await serve(inference, call(sent(request(0, body(x=row(1, 2))))))
    finish = function.LaneCall.finish

    def breaks(self, *given: int) -> None:
        if self.call is bad:
            raise ValueError("too large for protobuf")
        finish(self, *given)

    monkeypatch.setattr(function.LaneCall, "finish", breaks)
    bad, good = (call(sent(request(at, body(x=row(1, 2))))) for at in range(2))
    order: list = []
    await asyncio.wait_for(inference.serve([bad, good], order.append), 10)
    assert order == [good]
    assert values(replies(good)[0]) == [[2, 3]]


@pytest.mark.parametrize("seconds", [0.0, 0.005])
@pytest.mark.parametrize("cause", [lambda: ValueError("no"), lambda: Failed("model_failed", "no")])
async def test_a_failed_request_leaves_nothing_behind(inference, shelf, seconds, cause):
    """What it brought goes with it, in the loop and in threads; it does not wait for the collector of cycles."""
    seen = []

    def fail(x):
        if x.any():  # what it is proven sound with stays
            seen.append(weakref.ref(x))
        raise cause()

    toy = Toy(fail, limit=4)
    toy.seconds = seconds
    shelf._opener.toys["m"] = lambda: toy
    await shelf.load(("m", "1"), ModelSpec(uri="toy", identity="i"))
    gc.collect()
    gc.disable()
    try:
        for at in range(3):
            requests = [request(number, body(x=row(1, 2))) for number in (at, 9)]
            one = call(sent(*requests, spec=ModelSpec(identity="i")))
            del requests
            await serve(inference, one)
            assert [reply.error for reply in replies(one)] == ["model_failed"] * 2
            del one
        await asyncio.sleep(0)
        assert [each() for each in seen] == [None] * len(seen)
        assert seen
    finally:
        gc.enable()
