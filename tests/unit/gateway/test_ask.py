"""What holds for every door."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from tests.unit.gateway.canned import CannedClient

from scurry.client.answers import Answer
from scurry.gateway.ask import Ask, InferCall, check_names, take_timeout, told
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, error
from scurry.wire.infer_pb2 import InferReply, InferRequest, Parameter


class Slow(CannedClient):
    """A client whose answers the test gives."""

    def __init__(self) -> None:
        super().__init__()
        self.options: list[dict[str, Any]] = []
        self.answers: list[asyncio.Future[Answer]] = []

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        self.options.append(options)
        self.answers.append(asyncio.get_running_loop().create_future())
        return await self.answers[-1]


def question(timeout_us: int = 0) -> InferCall:
    """A question without inputs."""
    return InferCall(
        "m", "id-1", b"", [], version="2", key="k", traceparent="t", timeout_us=timeout_us, priority=3, tenant="acme"
    )


async def test_beyond_the_limit_requests_are_refused_at_once() -> None:
    """And accepted again when one has been answered."""
    client = Slow()
    ask = Ask(client, max_in_flight=1, timeout_s=5)
    first = ask.submit(question())
    await asyncio.sleep(0)
    assert repr(ask) == "<Ask 1 of 1 in flight>"
    with pytest.raises(ScurryError, match="overloaded"):
        ask.submit(question())
    client.answers[0].set_result(Answer("m", "2", InferReply()))
    assert (await first)[b"version"] == b"2"
    assert repr(ask) == "<Ask 0 of 1 in flight>"


async def test_a_failure_frees_its_place() -> None:
    """As an answer does."""
    client = Slow()
    ask = Ask(client, max_in_flight=1, timeout_s=5)
    failing = ask.submit(question())
    await asyncio.sleep(0)
    client.answers[0].set_exception(error("model_failed", "Division by zero."))
    with pytest.raises(ScurryError, match="model_failed"):
        await failing
    assert repr(ask) == "<Ask 0 of 1 in flight>"


@pytest.mark.parametrize(("asked_us", "seconds"), [(0, 5), (2_000_000, 2), (9_000_000, 5)])
async def test_the_callers_timeout_shortens_ours(asked_us: int, seconds: float) -> None:
    """It never makes it longer."""
    client = Slow()
    future = Ask(client, max_in_flight=1, timeout_s=5).submit(question(asked_us))
    await asyncio.sleep(0)
    assert client.options == [
        {"version": "2", "timeout": seconds, "key": "k", "traceparent": "t", "priority": 3, "tenant": "acme"}
    ]
    future.cancel()


@pytest.mark.parametrize(("given", "taken"), [(None, 0), (0, 0), (7, 7)])
def test_the_timeout_is_for_us_and_does_not_travel_on(given: int | None, taken: int) -> None:
    """A parameter of Triton's clients, in microseconds."""
    request = InferRequest()
    if given is not None:
        request.parameters["timeout"].int_value = given
    assert take_timeout(request) == taken
    assert not request.parameters


@pytest.mark.parametrize("given", [{"string_value": "5"}, {"double_value": 5e5}, {"bool_value": True}])
def test_a_timeout_that_is_no_number_of_microseconds_is_refused(given: dict[str, Any]) -> None:
    """It would be as if there were none."""
    request = InferRequest()
    request.parameters["timeout"].MergeFrom(Parameter(**given))
    with pytest.raises(InvalidRequest, match="'timeout'"):
        take_timeout(request)


def test_a_negative_timeout_is_refused() -> None:
    """Before anything is sent."""
    request = InferRequest()
    request.parameters["timeout"].int_value = -1
    with pytest.raises(InvalidRequest, match="'timeout'"):
        take_timeout(request)


@pytest.mark.parametrize(
    ("raised", "code"), [(error("model_failed", "Division by zero."), "model_failed"), (RuntimeError("a"), "internal")]
)
def test_whatever_goes_wrong_has_a_code(raised: Exception, code: str) -> None:
    """What is no error of ours has its text in the log only."""
    assert told(raised).code == code


@pytest.mark.parametrize(
    ("code", "sentence", "version", "wanted"),
    [
        ("model_not_found", "No model of this name is registered.", "", "'m' is not found. No model of this"),
        ("version_not_found", "No version or alias '9'.", "9", "'m' version 9 is not found. No version or"),
    ],
)
def test_of_a_model_that_is_not_there_callers_are_told_in_tritons_words(
    code: str, sentence: str, version: str, wanted: str
) -> None:
    """Its clients look for them; the code stays ours."""
    cause = told(error(code, sentence), "m", version)
    assert cause.code == code
    assert cause.message.startswith(f"Request for unknown model: {wanted}")
    assert told(error(code, sentence)).message == sentence


def test_a_step_that_is_not_there_is_not_the_model() -> None:
    """What a graph says of its steps stays as it is."""
    cause = error("model_not_found", "Step 2 (other): No model of this name is registered.")
    assert told(cause, "graph").message == cause.message


@pytest.mark.parametrize(("model", "version"), [("", ""), ("a/b", ""), ("m" * 200, ""), ("m", "1/2"), ("m", "é")])
def test_what_cannot_be_a_name_is_not_found(model: str, version: str) -> None:
    """The job need not be asked."""
    with pytest.raises(NotFound):
        check_names(model, version)


def test_names_with_dots_and_dashes_are_good() -> None:
    """And a version may be left out."""
    check_names("res-net_18.v2", "best-1.0")
    check_names("m")


async def test_a_tenant_has_its_number_in_flight() -> None:
    """What is refused was never sent; others and those without a tenant go on."""
    client = Slow()
    ask = Ask(client, max_in_flight=9, timeout_s=5, max_in_flight_each=1)
    first = ask.submit(question())
    await asyncio.sleep(0)
    with pytest.raises(ScurryError, match="rate_limited"):
        ask.submit(question())
    others = [ask.submit(question()._replace(tenant=tenant)) for tenant in ("", "", "other")]
    await asyncio.sleep(0)
    assert len(client.answers) == 4
    client.answers[0].set_result(Answer("m", "2", InferReply()))
    await first
    others.append(ask.submit(question()))
    await asyncio.sleep(0)
    for answer in client.answers[1:]:
        answer.set_result(Answer("m", "2", InferReply()))
    await asyncio.gather(*others)
