"""The façade for code without a loop."""

import numpy as np
import pytest

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
