"""What GRPCInferenceService tells of the server and of models."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.unit.gateway.conftest import RECORD
from tests.unit.gateway.doors.line import Line, door_of

from scurry.protocols import oip_pb2 as oip


class Server:
    """Asks methods with their own messages."""

    def __init__(self, client: Any) -> None:
        self.line = Line(door_of(client))
        self.line.greet()

    async def __call__(self, name: str, /, **fields: Any) -> Any:
        """The response, or status and text of an error."""
        asked = getattr(oip, f"{name}Request")(**fields)
        reply = await self.line.call(name, asked.SerializeToString())
        if reply.status != "0":
            return reply.status, reply.text
        return getattr(oip, f"{name}Response").FromString(reply.messages[0])


@pytest.fixture
async def server(client) -> Server:
    """The door."""
    return Server(client)


async def test_it_lives_and_is_ready(server, client):
    """Ready only with what is behind it."""
    assert (await server("ServerLive")).live
    assert (await server("ServerReady")).ready
    client.redis = OSError("gone")
    other = Server(client)
    assert not (await other("ServerReady")).ready


@pytest.mark.parametrize(
    ("name", "version", "ready"),
    [("m", "", True), ("m", "1", True), ("m", "best", True), ("m", "2", False), ("m", "9", False), ("no", "", False),
     ("", "", False), ("no name", "", False)],
)  # fmt: skip
async def test_a_model_is_ready_or_not(server, name, version, ready):
    """One that is not there is not: no error."""
    assert (await server("ModelReady", name=name, version=version)).ready is ready


async def test_metadata_is_what_http_tells(server):
    """Of the server and of a model."""
    told = await server("ServerMetadata")
    assert told.name == "scurry"
    assert "system_shared_memory" in told.extensions
    told = await server("ModelMetadata", name="m")
    assert (told.name, told.platform, list(told.versions)) == ("m", "onnx", ["1"])
    assert [(one.name, one.datatype, list(one.shape)) for one in told.outputs] == [("y", "BYTES", [-1, 2])]
    status, text = await server("ModelMetadata", name="nobody")
    assert status == "5"
    assert "Request for unknown model" in text


async def test_a_configuration_has_tritons_types(server):
    """BYTES is a string there."""
    config = (await server("ModelConfig", name="m", version="1")).config
    assert (config.name, config.max_batch_size) == ("m", 8)
    assert [(one.name, one.data_type, list(one.dims)) for one in config.input] == [("x", oip.TYPE_FP32, [2])]
    assert config.output[0].data_type == oip.TYPE_STRING


async def test_the_index_has_every_version(server):
    """Or those that take requests."""
    assert [(one.version, one.state) for one in (await server("RepositoryIndex")).models] == [
        ("1", "READY"), ("2", "UNAVAILABLE"),
    ]  # fmt: skip
    assert len((await server("RepositoryIndex", ready=True)).models) == 1


async def test_statistics_are_counted(server, client):
    """Of one model or all."""
    one = dict(RECORD["versions"][0]) | {"ok": 3, "busy_ms": 2, "latency_ms": {"sum": 5}}
    one |= {"stage_micros": {"input": 200, "compute": 2_000, "output": 100}, "last_inference": 1_700_000_000_123}
    client.records = {"m": RECORD | {"versions": [one]}}
    (told,) = (await server("ModelStatistics", name="m")).model_stats
    assert (told.inference_count, told.inference_stats.success.ns) == (3, 5_000_000)
    split = told.inference_stats
    assert (split.compute_input.ns, split.compute_infer.ns, split.compute_output.ns) == (200_000, 2_000_000, 100_000)
    assert (split.queue.ns, told.last_inference) == (2_700_000, 1_700_000_000_123)
    assert len((await server("ModelStatistics")).model_stats) == 1
    assert (await server("ModelStatistics", name="m", version="9"))[0] == "5"


async def test_loading_and_unloading_change_the_registry(server, client):
    """By its own messages; a load may bring another configuration."""
    await server("RepositoryModelUnload", model_name="m")
    assert json.loads(client.updates[-1].json) == {"unload": {"version": "1", "force": True}}
    await server("RepositoryModelLoad", model_name="m")
    assert {tuple(json.loads(one.json)) for one in client.updates[1:]} == {("load",)}
    status, text = await server("RepositoryModelLoad", model_name="nobody")
    assert status == "3"
    assert "failed to load" in text
    files = {"file:1/model.onnx": oip.ModelRepositoryParameter(bytes_param=b"x")}
    status, text = await server("RepositoryModelLoad", model_name="m", parameters=files)
    assert status == "3"
    assert "file:1/model.onnx" in text
