"""Cluster Serving's REST, answered by the client the tests write."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.conftest import Caller, FakeClient

from scurry.gateway.ask import Ask
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.models import Models
from scurry.wire.errors import error


class ClusterCaller(Caller):
    """Calls this door."""

    def __init__(self, client: FakeClient) -> None:
        super().__init__(client)
        self.door: Any = ClusterServing(Ask(client, max_in_flight=8, timeout_s=30.0), Models(client))


@pytest.fixture
def call(client: FakeClient) -> ClusterCaller:
    """The door, called as a function."""
    return ClusterCaller(client)


@pytest.mark.parametrize("path", ["/predict", "/models/m/predict", "/models/m/versions/1/predict"])
async def test_every_instance_is_answered(call: ClusterCaller, client: FakeClient, path: str) -> None:
    """In their order, each as the text of its own answer."""
    reply, told = await call("POST", path, {"instances": [{"x": [1, 2]}, {"x": [3, 4]}]})
    assert reply.status == 200
    values = [json.loads(json.loads(text)["value"]) for text in told["predictions"]]
    assert [each["data"] for each in values] == [[1, 2], [3, 4]]
    assert "errors" not in told
    assert len(client.asked) == 2


async def test_another_form_by_name(call: ClusterCaller) -> None:
    """Of this one request."""
    _, told = await call("POST", "/models/m/predict?form=v0.9", {"instances": [{"x": [1, 2]}]})
    assert told["predictions"][0].startswith("{value=[1.0,2.0]")


async def test_an_instance_fails_alone(call: ClusterCaller) -> None:
    """It gets NaN as in the original, and beside it the reason; where all fail, so does the request."""
    reply, told = await call("POST", "/models/m/predict", {"instances": [{"x": "text"}, {"x": [3, 4]}]})
    assert (reply.status, json.loads(told["predictions"][0])) == (200, {"value": "NaN"})
    assert told["errors"][1] is None
    assert told["errors"][0]["code"].startswith("input_")
    reply, told = await call("POST", "/models/m/predict", {"instances": [{"x": "text"}]})
    assert (reply.status, "'x'" in told["error"]) == (400, True)


async def test_what_the_model_refuses_is_told(call: ClusterCaller, client: FakeClient) -> None:
    """With its own status."""
    client.failure = error("model_failed", "It broke.")
    reply, told = await call("POST", "/models/m/predict", {"instances": [{"x": [1, 2]}]})
    assert (reply.status, told["code"]) == (500, "model_failed")


@pytest.mark.parametrize("body", [b"{", b"{}", {"instance": [{"x": 1}]}, {"instances": [{"x": [1, 2]}] * 1025}])
async def test_bodies_that_make_no_sense(call: ClusterCaller, body: Any) -> None:
    """A sentence, and nothing is asked."""
    reply, told = await call("POST", "/models/m/predict", body)
    assert 400 <= reply.status < 500
    assert told["error"]


async def test_what_there_is(call: ClusterCaller) -> None:
    """Models, one of them, timers; encrypted models are refused with a sentence."""
    _, told = await call("GET", "/models")
    assert told[0]["modelName"] == "m"
    assert (await call("GET", "/models/m"))[1] == told
    assert (await call("GET", "/models/m/versions/1"))[1] == told[0]
    assert (await call("GET", "/metrics"))[1][0]["name"] == "zoo.serving.inference.m.1"
    reply, told = await call("POST", "/model-secure", b"secret=a&salt=b")
    assert (reply.status, "decrypted" in told["error"]) == (400, True)
    assert (await call("GET", "/models/nobody"))[0].status == 404
