"""What holds for every door."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.client.answers import Answer
from scurry.gateway.ask import Ask, InferCall, check_names
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, error
from scurry.wire.infer_pb2 import InferReply, InferRequest


class Slow:
    """A client whose answers the test gives."""

    def __init__(self) -> None:
        self.options: list[dict[str, Any]] = []
        self.answers: list[asyncio.Future[Answer]] = []

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        self.options.append(options)
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


def question(timeout_us: int | None = None) -> InferCall:
    """A question without inputs."""
    request = InferRequest()
    if timeout_us is not None:
        request.parameters["timeout"].int_value = timeout_us
    return InferCall("m", request, version="2", key="k", traceparent="t")


async def test_beyond_the_limit_requests_are_refused_at_once() -> None:
    """And accepted again when one has been answered."""
    client = Slow()
    ask = Ask(client, max_in_flight=1, timeout_s=5)
    first = asyncio.create_task(ask.infer(question()))
    await asyncio.sleep(0)
    assert repr(ask) == "<Ask 1 of 1 in flight>"
    with pytest.raises(ScurryError, match="overloaded"):
        await ask.infer(question())
    client.answers[0].set_result(Answer("m", "2", InferReply()))
    assert (await first).version == "2"
    assert repr(ask) == "<Ask 0 of 1 in flight>"


@pytest.mark.parametrize(("asked_us", "seconds"), [(None, 5), (0, 5), (2_000_000, 2), (9_000_000, 5)])
async def test_the_callers_timeout_shortens_ours(asked_us: int | None, seconds: float) -> None:
    """The parameter is for us and does not travel to the model."""
    client, asked = Slow(), question(asked_us)
    task = asyncio.create_task(Ask(client, max_in_flight=1, timeout_s=5).infer(asked))
    await asyncio.sleep(0)
    assert client.options == [{"version": "2", "timeout": seconds, "key": "k", "traceparent": "t"}]
    assert not asked.request.parameters
    task.cancel()


async def test_a_negative_timeout_is_refused() -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidRequest, match="'timeout'"):
        await Ask(Slow(), max_in_flight=1, timeout_s=5).infer(question(-1))


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (error("model_failed", "Division by zero."), "model_failed"),
        (TimeoutError(), "deadline_exceeded"),
        (RuntimeError("a bug"), "internal"),
    ],
)
async def test_whatever_goes_wrong_has_a_code(raised: Exception, code: str) -> None:
    """And frees its place."""
    client = Slow()
    ask = Ask(client, max_in_flight=1, timeout_s=5)
    task = asyncio.create_task(ask.infer(question()))
    await asyncio.sleep(0)
    client.answers[0].set_exception(raised)
    with pytest.raises(ScurryError) as caught:
        await task
    assert caught.value.code == code
    assert "0 of 1" in repr(ask)


@pytest.mark.parametrize(("model", "version"), [("", ""), ("a/b", ""), ("m" * 200, ""), ("m", "1/2"), ("m", "é")])
def test_what_cannot_be_a_name_is_not_found(model: str, version: str) -> None:
    """The job need not be asked."""
    with pytest.raises(NotFound):
        check_names(model, version)


def test_names_with_dots_and_dashes_are_good() -> None:
    """And a version may be left out."""
    check_names("res-net_18.v2", "best-1.0")
    check_names("m")
