"""The façade for code without a loop."""

import inspect
import threading

import numpy as np
import pytest

from scurry.client import session
from scurry.client.admin import Registry
from scurry.client.blocking import BlockingClient, BlockingPending, BlockingRegistry
from scurry.client.client import Client
from scurry.client.pending import Pending
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import to_array, to_tensor


def doubling(fields):
    """A job that answers `y = 2 x`."""
    x = to_array(InferRequest.FromString(fields[b"request"]).inputs[0])
    return {"status": "ok", "reply": InferReply(outputs=[to_tensor("y", x * 2)]).SerializeToString()}


def test_it_asks_from_any_thread(redis):
    """Its own thread runs the loop."""
    reply = InferReply(outputs=[to_tensor("y", np.float32([2]))]).SerializeToString()
    redis.job = lambda fields: {"status": "ok", "version": "1", "reply": reply}
    with BlockingClient("redis://fake:1/0") as client:
        assert client.infer("m", {"x": np.float32([1])})["y"] == [2]
        assert client.models() == {}
        client.ping()


def test_it_leaves_no_thread_behind_when_redis_is_away(redis):
    """The failure comes from the constructor."""
    redis.down = True
    with pytest.raises(Unavailable):
        BlockingClient("redis://fake:1/0")


def test_an_answer_can_be_fetched_later(redis):
    """The caller goes on meanwhile; the outputs are there when they are asked for, or the error."""
    reply = InferReply(outputs=[to_tensor("y", np.float32([2]))]).SerializeToString()
    redis.job = lambda fields: {"status": "ok", "version": "1", "reply": reply}
    redis.hashes[b"scurry:result:mine"] = [b"status", b"ok", b"version", b"7", b"reply", reply]
    with BlockingClient("redis://fake:1/0") as client:
        futures = [client.infer_later("m", {"x": np.float32([n])}, priority=1, tenant="a") for n in range(3)]
        assert [future.result(5)["y"] for future in futures] == [2, 2, 2]
        assert client.result("mine").version == "7"
        redis.job = lambda fields: {"status": "error", "error": "overloaded", "message": "Later."}
        with pytest.raises(Unavailable):
            client.infer_later("m", {"x": np.float32([1])}).result(5)


def test_a_forked_process_is_told_instead_of_hanging(redis, monkeypatch):
    """Its thread stayed behind with the parent."""
    with BlockingClient("redis://fake:1/0") as client:
        with monkeypatch.context() as child:
            child.setattr(session.forks, "count", session.forks.count + 1)
            with pytest.raises(RuntimeError, match="forked from it"):
                client.ping()
        client.ping()


def test_it_offers_what_the_client_offers():
    """A method that is added to one is added to the other; bytes and the loop's own are for loops."""
    inner = {"open", "submit", "new_id", "check_process", "command", "read", "body", "inputs_of", "requests", "job"}
    for asynchronous, blocking in ((Client, BlockingClient), (Registry, BlockingRegistry), (Pending, BlockingPending)):
        public = {name for name, one in inspect.getmembers(asynchronous, callable) if not name.startswith("_")}
        assert public - inner - {"abandon"} <= {name for name in dir(blocking) if not name.startswith("_")}
    assert BlockingClient.infer.__doc__ == Client.infer.__doc__


def test_streams_take_inputs_in_the_callers_thread(redis):
    """A database cursor, for instance, belongs to it; no more are taken than are in flight."""
    redis.job = doubling
    taken = []

    def source():
        for number in range(20):
            taken.append(threading.current_thread())
            yield {"x": np.float32([number])}

    with BlockingClient("redis://fake:1/0") as client:
        stream = client.stream("m", source(), in_flight=4)
        assert next(stream).outputs["y"] == [0]
        assert set(taken) == {threading.current_thread()}
        assert len(taken) == 4
        assert [reply.outputs["y"].item() for reply in stream] == [2 * n for n in range(1, 20)]
        replies = list(client.stream("m", source(), in_flight=4, ordered=False))
        assert sorted(reply.index for reply in replies) == list(range(20))


def test_a_failure_in_a_stream_is_an_answer(redis):
    """Unless it is to be raised."""
    redis.job = lambda fields: {"status": "error", "error": "overloaded", "message": "Later."}
    with BlockingClient("redis://fake:1/0") as client:
        inputs = [{"x": np.float32([1])}] * 3
        assert [reply.error.code for reply in client.stream("m", inputs)] == ["overloaded"] * 3
        with pytest.raises(Unavailable):
            list(client.stream("m", inputs, raise_errors=True))
        with pytest.raises(InvalidRequest):
            next(client.stream("m", inputs, in_flight=0))


def test_handles_and_the_registry_block_too(redis):
    """Each by the asynchronous one's method."""
    redis.job = doubling
    with BlockingClient("redis://fake:1/0") as client:
        pending = client.start("m", {"x": np.float32([1])})
        assert pending.result(timeout=5)["y"] == [2]
        assert pending.done()
        assert repr(pending) == f"<BlockingPending {pending.id} to m, done>"
        redis.job = lambda fields: {"status": "ok", "record": '{"model": "m"}'}
        assert client.registry.split("m", {"1": 1}) == {"model": "m"}
        assert repr(client.registry).startswith("<BlockingRegistry of ")


async def test_it_works_inside_a_running_loop(redis):
    """As in a notebook."""
    redis.job = doubling
    with BlockingClient("redis://fake:1/0") as client:
        assert client.infer("m", {"x": np.float32([3])})["y"] == [6]


def test_a_closed_client_says_so(redis):
    """Not that a loop is closed."""
    client = BlockingClient("redis://fake:1/0")
    client.close()
    client.close()
    with pytest.raises(RuntimeError, match="client is closed"):
        client.ping()
