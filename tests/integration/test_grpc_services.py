"""The gRPC port as a gateway opens it, called by grpc.aio: what is counted, health, reflection, keys."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass
from tests.integration.listening import Echo

from scurry.protocols.health_pb2 import HealthCheckRequest, HealthCheckResponse
from scurry.protocols.oip_pb2 import ModelInferRequest, ModelInferResponse, ModelStreamInferResponse
from scurry.protocols.reflection_pb2 import ServerReflectionRequest, ServerReflectionResponse
from scurry.serving.doors import Doors
from scurry.serving.guards import Guards
from scurry.settings import GatewaySettings
from scurry.telemetry.prometheus import page

INFERENCE = "/inference.GRPCInferenceService/"
HEALTH = "/grpc.health.v1.Health/"


class Served:
    """A gateway's gRPC port before a client that answers with the inputs."""

    def __init__(self) -> None:
        self.client: Any = Echo()
        settings = GatewaySettings(access_log=True)
        self.doors = Doors(self.client, settings, Guards.of(settings))
        self.listener = self.doors.grpc()

    async def open(self) -> None:
        """Listen, and connect."""
        port = await self.listener.open("127.0.0.1", 0)
        self.channel = grpc.aio.insecure_channel(f"127.0.0.1:{port}")

    async def infer(self, number: int, model: str = "m", **options: Any) -> ModelInferResponse:
        """An answer to one number."""
        call = self.channel.unary_unary(
            f"{INFERENCE}ModelInfer", ModelInferRequest.SerializeToString, ModelInferResponse.FromString
        )
        return await call(asked(number, model), **options)

    def watch(self, service: str) -> Any:
        """A call that hears of a service."""
        serialize, read = HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
        return self.channel.unary_stream(f"{HEALTH}Watch", serialize, read)(HealthCheckRequest(service=service))

    def counted(self) -> dict[str, int]:
        """Requests by their labels."""
        name = "scurry_gateway_request_seconds_count"
        lines = [line[len(name) :] for line in page(self.doors.figures()).splitlines() if line.startswith(name)]
        return {labels: int(count) for labels, _, count in (line.rpartition(" ") for line in lines)}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """One that is open."""
    served = Served()
    await served.open()
    yield served
    served.client.gate.set()
    await served.channel.close()
    await served.listener.close(5)


def asked(number: int, model: str = "m") -> ModelInferRequest:
    """A request with one number."""
    request = ModelInferRequest(model_name=model, raw_input_contents=[np.int32(number).tobytes()])
    request.inputs.add(name="x", datatype="INT32", shape=[1])
    return request


async def test_every_call_is_counted_and_logged(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    """By door, status and code: answers, refusals, a caller who gives up, each request of a stream."""
    caplog.set_level(logging.INFO, "scurry.access")
    for number in range(3):
        await served.infer(number, metadata=(("traceparent", "00-t"),))
    with pytest.raises(grpc.aio.AioRpcError):
        await served.infer(1, "nobody")
    with pytest.raises(grpc.aio.AioRpcError) as nowhere:
        await served.channel.unary_unary("/a.Service/Method")(b"")
    assert nowhere.value.code() == grpc.StatusCode.UNIMPLEMENTED
    stream = served.channel.stream_stream(
        f"{INFERENCE}ModelStreamInfer", ModelInferRequest.SerializeToString, ModelStreamInferResponse.FromString
    )
    answers = [one async for one in stream(iter([asked(1), asked(2), asked(3, "nobody")]))]
    assert len(answers) == 3
    assert served.counted() == {
        '{door="grpc",status="OK",code="ok"}': 5,
        '{door="grpc",status="NOT_FOUND",code="model_not_found"}': 2,
        '{door="grpc",status="UNIMPLEMENTED",code="not_offered"}': 1,
    }
    first = caplog.records[0].__dict__
    assert (first["method"], first["target"], first["model"]) == ("ModelInfer", f"{INFERENCE}ModelInfer", "m")
    assert (first["status"], first["code"], first["traceparent"]) == ("OK", "ok", "00-t")
    assert first["request"]
    assert first["ms"] > 0
    assert len(caplog.records) == 8


async def test_a_call_that_is_given_up_is_counted_so(served: Served) -> None:
    """And not again when the model answers."""
    served.client.gate.clear()
    call = asyncio.ensure_future(served.infer(1))
    await served.client.busy.wait()
    call.cancel()
    left = '{door="grpc",status="CANCELLED",code="cancelled"}'
    async with asyncio.timeout(5):
        while left not in served.counted():  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
    served.client.gate.set()
    await served.infer(2)
    assert served.counted() == {left: 1, '{door="grpc",status="OK",code="ok"}': 1}


async def test_health_is_checked_and_watched(served: Served) -> None:
    """Of the gateway and of a model; a gateway that stops says so to who watches, and counts each call once."""
    check = served.channel.unary_unary(
        f"{HEALTH}Check", HealthCheckRequest.SerializeToString, HealthCheckResponse.FromString
    )
    for service in ("", "inference.GRPCInferenceService", "m"):
        assert (await check(HealthCheckRequest(service=service))).status == HealthCheckResponse.SERVING
    with pytest.raises(grpc.aio.AioRpcError) as unknown:
        await check(HealthCheckRequest(service="nobody"))
    assert unknown.value.code() == grpc.StatusCode.NOT_FOUND
    watching, lost = served.watch(""), served.watch("nobody")
    assert (await watching.read()).status == HealthCheckResponse.SERVING
    assert (await lost.read()).status == HealthCheckResponse.SERVICE_UNKNOWN
    served.doors.health.leave("It is stopping.")
    await served.listener.close(5)
    assert (await watching.read()).status == HealthCheckResponse.NOT_SERVING
    assert await watching.code() == grpc.StatusCode.OK
    door = 'door="/grpc.health.v1.Health"'
    assert served.counted() == {
        f'{{{door},status="OK",code="ok"}}': 5, f'{{{door},status="NOT_FOUND",code="model_not_found"}}': 1,
    }  # fmt: skip


@pytest.mark.parametrize("version", ["v1", "v1alpha"])
async def test_a_caller_who_knows_nothing_can_ask_a_model(served: Served, version: str) -> None:
    """It learns services and messages from reflection, and calls with those."""
    ask = served.channel.stream_stream(
        f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo",
        ServerReflectionRequest.SerializeToString, ServerReflectionResponse.FromString,
    )  # fmt: skip
    questions = [
        ServerReflectionRequest(list_services=""),
        ServerReflectionRequest(file_containing_symbol="inference.GRPCInferenceService"),
    ]
    listed, file = [one async for one in ask(iter(questions))]
    assert "inference.GRPCInferenceService" in [one.name for one in listed.list_services_response.service]
    pool = descriptor_pool.DescriptorPool()
    pool.Add(FileDescriptorProto.FromString(file.file_descriptor_response.file_descriptor_proto[0]))
    service: Any = pool.FindServiceByName("inference.GRPCInferenceService")
    method = service.methods_by_name["ModelInfer"]
    question: Any = GetMessageClass(method.input_type)
    answer: Any = GetMessageClass(method.output_type)
    call = served.channel.unary_unary(f"{INFERENCE}ModelInfer", question.SerializeToString, answer.FromString)
    told = await call(question.FromString(asked(7).SerializeToString()))
    assert (told.model_name, told.raw_output_contents) == ("m", [np.int32(7).tobytes()])


async def test_wishes_that_only_http_grants_are_refused(served: Served) -> None:
    """By a status and a sentence."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await served.infer(1, metadata=(("prefer", "respond-async"),))
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert "over HTTP" in (refused.value.details() or "")
