"""Loads one after the other, against a door that answers at once."""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
import pytest

from scurry.bench import run
from scurry.bench.doors import HttpDoor, RedisDoor
from scurry.bench.grpc_door import GrpcDoor
from scurry.bench.requests import Input
from scurry.bench.run import Bench, Shape, chosen
from scurry.wire.errors import NotFound, Unavailable

TENSORS = [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
RECORD = orjson.dumps({"versions": [{"version": "1", "state": "ready", "signature": {"inputs": TENSORS}}]})


class Echo:
    """Answers every request in the next turn of the loop."""

    failure = ""

    async def open(self, listener: Any) -> None:
        self._listener = listener

    def send(self, request_id: bytes, subject: int) -> None:
        asyncio.get_running_loop().call_soon(self._listener, [(request_id, "")])

    def flush(self) -> None:
        """Nothing is held back."""

    async def close(self) -> None:
        self.is_closed = True


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What Redis answers to each verb."""
    answers: dict[str, Any] = {"HGETALL": [b"a", RECORD, b"b", RECORD], "GET": None}

    async def connect(*_: object) -> Any:
        return type("Closed", (), {"close": lambda self: None})()

    async def ask(_: object, verb: str, *words: str) -> Any:
        return answers[verb]

    monkeypatch.setattr(run, "connect", connect)
    monkeypatch.setattr(run, "ask", ask)
    return answers


def bench(**given: Any) -> Bench:
    """A short one."""
    return Bench(**{"models": ["*"], "redis_url": "redis://r:1/0", "namespace": "ns", "warm_up": 0, "seconds": 0.02}
                 | given)  # fmt: skip


async def test_each_shape_gets_its_figures(redis, monkeypatch) -> None:
    """All matching models are asked; what is measured is said before."""
    monkeypatch.setattr(Bench, "_door", lambda *_: Echo())
    told: list[str] = []
    one, two = await bench().run([Shape(callers=2), Shape(rate=500.0)], told.append)
    assert (one.load, one.models, two.load) == ("2 callers", 2, "500/s")
    assert one.answered > 0
    assert told[0].startswith("2 callers on 2 model(s)")


async def test_inputs_that_are_given_need_no_view(redis, monkeypatch) -> None:
    """A model that is not registered here is asked all the same."""
    monkeypatch.setattr(Bench, "_door", lambda *_: Echo())
    del redis["HGETALL"]
    (one,) = await bench(models=["far"], inputs=[Input("x", "FP32", (-1, 2))]).run([Shape(callers=1)], lambda _: None)
    assert (one.models, one.bytes) == (1, 8)


async def test_a_load_that_was_cut_off_is_no_figure(redis, monkeypatch) -> None:
    """The door's failure is said, and the door is closed."""
    door = Echo()
    door.failure = "Redis closed the connection"
    monkeypatch.setattr(Bench, "_door", lambda *_: door)
    with pytest.raises(Unavailable, match="cut off: Redis closed"):
        await bench().run([Shape(callers=1)], lambda _: None)
    assert door.is_closed


def test_the_door_is_redis_unless_a_gateway_is_named() -> None:
    """Both are made from the same subjects."""
    assert isinstance(bench()._door(1, 1, [], 1), RedisDoor)
    assert isinstance(bench(url="http://g:1")._door(1, 1, [], 1), HttpDoor)
    assert isinstance(bench(url="grpc://g:1")._door(1, 1, [], 1), GrpcDoor)


def test_models_are_chosen_by_pattern() -> None:
    """In order; none at all is an error that names the patterns."""
    assert chosen(["m?", "x"], {"m2": b"", "m1": b"", "x": b"", "y": b""}) == ["m1", "m2", "x"]
    with pytest.raises(NotFound, match="called a or b"):
        chosen(["a", "b"], {"c": b""})
