"""The services of the gRPC port, as reflection tells them."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message_factory import GetMessageClass

from scurry.gateway.doors import cluster_grpc, grpc, grpc_health, grpc_reflection
from scurry.protocols import oip_pb2
from scurry.protocols.grpc_services import NAMES, SERVICES, Service, described, files


@pytest.fixture(scope="module")
def pool() -> descriptor_pool.DescriptorPool:
    """A caller's own, with every file in it: none imports what is not there."""
    made = descriptor_pool.DescriptorPool()
    for file in files().named.values():
        made.Add(FileDescriptorProto.FromString(file))
    return made


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_caller_can_make_its_messages_of_a_file(pool: descriptor_pool.DescriptorPool, service: Service) -> None:
    """Each method's messages are there, under the package that callers know, and none under ours."""
    found: Any = pool.FindServiceByName(service.name)
    assert [each.name for each in found.methods] == [each.name for each in service.methods]
    for method in service.methods:
        told = found.methods_by_name[method.name]
        package = service.name.rpartition(".")[0]
        assert told.input_type.full_name == f"{package}.{method.asked}"
        assert told.output_type.full_name == f"{package}.{method.answer}"
        assert (told.client_streaming, told.server_streaming) == (method.asks_many, method.answers_many)
    assert b"scurry" not in files().named[service.file]


def test_every_service_has_a_door_and_its_methods_are_the_doors() -> None:
    """What is told is what is answered."""
    doors = (grpc.SERVICE, cluster_grpc.SERVICE, grpc_health.SERVICE, *grpc_reflection.SERVICES)
    assert tuple(door.strip("/") for door in doors) == NAMES
    told = {method.name for method in SERVICES[0].methods}
    assert told == {*grpc.METHODS, "ModelInfer", "ModelStreamInfer"}


def test_a_message_that_is_made_so_is_read_here(pool: descriptor_pool.DescriptorPool) -> None:
    """Maps and enums among its fields."""
    made: Any = GetMessageClass(pool.FindMessageTypeByName("inference.ModelInferRequest"))(model_name="m")
    made.parameters["timeout"].int64_param = 7
    read = oip_pb2.ModelInferRequest.FromString(made.SerializeToString())
    assert (read.model_name, read.parameters["timeout"].int64_param) == ("m", 7)
    config: Any = GetMessageClass(pool.FindMessageTypeByName("inference.ModelConfig"))
    field = config.DESCRIPTOR.fields_by_name["input"].message_type.fields_by_name["data_type"]
    assert field.enum_type.full_name == "inference.DataType"


@pytest.mark.parametrize("symbol", [
    "inference.GRPCInferenceService", "inference.GRPCInferenceService.ModelInfer", "inference.DataType",
    "inference.ModelInferRequest.InferInputTensor", "grpc.health.v1.HealthCheckResponse.ServingStatus",
    "grpc.reflection.v1alpha.ServerReflection", "grpc.FrontEndGRPCService.Predict",
])  # fmt: skip
def test_symbols_are_found(symbol: str) -> None:
    """Services, methods, messages, those within others, enums."""
    assert symbol in files().having


def test_what_triton_calls_so_is_the_same_on_the_wire() -> None:
    """Every message of ours that the client's package has: the same numbers, names and types for its fields."""
    theirs = pytest.importorskip("tritonclient.grpc.service_pb2").DESCRIPTOR.message_types_by_name
    ours = {message.name: message for message in described(SERVICES[0]).message_type}
    common = ours.keys() & theirs.keys()
    assert {"ModelInferRequest", "ModelInferResponse", "ServerLiveRequest"} <= common
    for name in common:
        known = {field.number: (field.name, field.type) for field in theirs[name].fields}
        for field in ours[name].field:
            assert known[field.number] == (field.name, field.type), f"{name}.{field.name}"
