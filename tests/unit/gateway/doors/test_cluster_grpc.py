"""Cluster Serving's gRPC front end, over a line without a socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.gateway.conftest import FakeClient
from tests.unit.gateway.doors.line import Line

from scurry.gateway.access import Access
from scurry.gateway.ask import Ask
from scurry.gateway.doors.cluster_grpc import SERVICE, ClusterGrpc
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.models import Models
from scurry.protocols import front_end_pb2 as words


def line_of(client: Any, access: Access | None = None) -> Line:
    """A connection to the door that has greeted."""
    models = Models(client)
    rest = ClusterServing(Ask(client, max_in_flight=9, timeout_s=30.0), models)
    line = Line(ClusterGrpc(rest, models, access))
    line.greet()
    return line


async def said(line: Line, method: str, asked: Any, kind: Any, **metadata: str) -> Any:
    """The answer to a call."""
    reply = await line.call(f"{SERVICE}{method}", asked.SerializeToString(), **metadata)
    assert reply.status == "0", reply.text
    return kind.FromString(reply.messages[0])


async def test_every_method_of_the_original(client: FakeClient) -> None:
    """Texts as over REST."""
    line = line_of(client)
    assert "welcome" in (await said(line, "Ping", words.Empty(), words.StringReply)).message
    asked = words.PredictReq(model_name="m", input='{"instances": [{"x": [1, 2]}, {"x": "a"}]}')
    good, bad = json.loads((await said(line, "Predict", asked, words.PredictReply)).response)
    assert json.loads(json.loads(good)["value"])["data"] == [1, 2]
    assert json.loads(bad) == {"value": "NaN"}
    models = (await said(line, "GetAllModels", words.Empty(), words.ModelsReply)).cluster_serving_meta_datas
    assert [(one.model_name, one.model_version, one.features) for one in models] == [("m", "1", "x"), ("m", "2", "")]
    named = words.GetModelsWithNameAndVersionReq(model_name="m", model_version="best")
    told = await said(line, "GetModelsWithNameAndVersion", named, words.ModelsReply)
    assert [one.model_version for one in told.cluster_serving_meta_datas] == ["1"]
    assert len((await said(line, "GetMetrics", words.Empty(), words.MetricsReply)).metrics) == 2


@pytest.mark.parametrize(
    ("method", "asked", "status"),
    [
        ("Predict", words.PredictReq(model_name="m", input="{"), "3"),
        ("Predict", words.PredictReq(model_name="a b", input="{}"), "5"),
        ("GetModelsWithName", words.GetModelsWithNameReq(model_name="nobody"), "5"),
        ("Nothing", words.Empty(), "12"),
    ],
)
async def test_what_fails_is_told_at_once(client: FakeClient, method: str, asked: Any, status: str) -> None:
    """The original let its callers wait for ever."""
    assert (await line_of(client).call(f"{SERVICE}{method}", asked.SerializeToString())).status == status


async def test_keys_are_asked_here_too(client: FakeClient, tmp_path: Path) -> None:
    """All but Ping; the tenant is the key's."""
    (tmp_path / "keys").write_text("ci a-key-of-sixteen infer models=m tenant=blue\n")
    line = line_of(client, Access(str(tmp_path / "keys")))
    key = {"authorization": "Bearer a-key-of-sixteen"}
    asked = words.PredictReq(model_name="m", input='{"instances": [{"x": [1, 2]}]}')
    assert (await line.call(f"{SERVICE}Predict", asked.SerializeToString())).status == "16"
    await said(line, "Predict", asked, words.PredictReply, **key)
    assert client.asked[-1][2]["tenant"] == "blue"
    assert (await line.call(f"{SERVICE}GetAllModels", b"", **key)).status == "7"
    await said(line, "Ping", words.Empty(), words.StringReply)
