"""The gRPC services that callers see, and the files that tell of them.

Our messages have packages of ours, so that they can be in one process with other people's (`protos/`). Callers see the
packages of the public protocols: a file is told under those, with its service. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, NamedTuple

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto

from scurry.protocols import front_end_pb2, health_pb2, oip_pb2, reflection_pb2


class Method(NamedTuple):
    """A method and the names of its messages."""

    name: str
    asked: str
    answer: str
    asks_many: bool = False
    answers_many: bool = False


class Service(NamedTuple):
    """A service by its full name, the file in which callers find it, and ours with its messages."""

    name: str
    file: str
    words: FileDescriptor
    methods: tuple[Method, ...]


def _oip(name: str) -> Method:
    return Method(name, f"{name}Request", f"{name}Response")


_HEALTH: Final = "HealthCheckRequest", "HealthCheckResponse"
_REFLECTION: Final = (
    Method("ServerReflectionInfo", "ServerReflectionRequest", "ServerReflectionResponse", True, True),
)

SERVICES: Final = (
    Service("inference.GRPCInferenceService", "inference/grpc_service.proto", oip_pb2.DESCRIPTOR, (
        *map(_oip, (
            "ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelInfer", "ModelConfig",
            "ModelStatistics", "RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload",
            "SystemSharedMemoryStatus", "SystemSharedMemoryRegister", "SystemSharedMemoryUnregister",
            "CudaSharedMemoryStatus", "CudaSharedMemoryRegister", "CudaSharedMemoryUnregister", "TraceSetting",
            "LogSettings",
        )),
        Method("ModelStreamInfer", "ModelInferRequest", "ModelStreamInferResponse", True, True),
    )),
    Service("grpc.FrontEndGRPCService", "grpc/front_end.proto", front_end_pb2.DESCRIPTOR, (
        Method("Ping", "Empty", "StringReply"),
        Method("GetMetrics", "Empty", "MetricsReply"),
        Method("GetAllModels", "Empty", "ModelsReply"),
        Method("GetModelsWithName", "GetModelsWithNameReq", "ModelsReply"),
        Method("GetModelsWithNameAndVersion", "GetModelsWithNameAndVersionReq", "ModelsReply"),
        Method("Predict", "PredictReq", "PredictReply"),
    )),
    Service("grpc.health.v1.Health", "grpc/health/v1/health.proto", health_pb2.DESCRIPTOR, (
        Method("Check", *_HEALTH),
        Method("List", "HealthListRequest", "HealthListResponse"),
        Method("Watch", *_HEALTH, answers_many=True),
    )),
    *(Service(f"grpc.reflection.{each}.ServerReflection", f"grpc/reflection/{each}/reflection.proto",
              reflection_pb2.DESCRIPTOR, _REFLECTION) for each in ("v1", "v1alpha")),
)  # fmt: skip
"""Each service of the gRPC port."""
NAMES: Final = tuple(service.name for service in SERVICES)


class Files(NamedTuple):
    """Serialised files: by their names, and by what stands in them."""

    named: dict[str, bytes]
    having: dict[str, bytes]


@cache
def files() -> Files:
    """The files of all services, none of which imports another."""
    told = [described(service) for service in SERVICES]
    named = {one.name: one.SerializeToString() for one in told}
    return Files(named, {symbol: named[one.name] for one in told for symbol in _symbols(one)})


def described(service: Service) -> FileDescriptorProto:
    """A service's file, in the package that callers know."""
    told, package = FileDescriptorProto(), service.name.rpartition(".")[0]
    service.words.CopyToProto(told)
    told.name, told.package = service.file, package
    for field in _fields(told.message_type):
        if field.type_name:
            field.type_name = field.type_name.replace(f".{service.words.package}.", f".{package}.", 1)
    made = told.service.add(name=service.name.rpartition(".")[2])
    for method in service.methods:
        made.method.add(
            name=method.name, input_type=f".{package}.{method.asked}", output_type=f".{package}.{method.answer}",
            client_streaming=method.asks_many, server_streaming=method.answers_many,
        )  # fmt: skip
    return told


def _fields(messages: Iterable[DescriptorProto]) -> Iterator[FieldDescriptorProto]:
    for message in messages:
        yield from message.field
        yield from _fields(message.nested_type)


def _symbols(file: FileDescriptorProto) -> Iterator[str]:
    """Full names of messages, enums, services and methods."""
    todo = [(file.package, message) for message in file.message_type]
    while todo:
        within, message = todo.pop()
        name = f"{within}.{message.name}"
        yield name
        yield from (f"{name}.{enum.name}" for enum in message.enum_type)
        todo += [(name, nested) for nested in message.nested_type]
    yield from (f"{file.package}.{enum.name}" for enum in file.enum_type)
    for service in file.service:
        yield f"{file.package}.{service.name}"
        yield from (f"{file.package}.{service.name}.{method.name}" for method in service.method)
