"""The façade for code without a loop."""


import numpy as np
import pytest

from scurry.client import session
from scurry.client.blocking import BlockingClient
from scurry.wire.errors import Unavailable
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import to_tensor


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
