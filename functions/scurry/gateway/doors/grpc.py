"""The gRPC door: the Open Inference Protocol's GRPCInferenceService.

It knows gRPC's words, not its sockets: a call comes with its method and message and is given answers or a status.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from google.protobuf.message import Message

from scurry.gateway.access import Access, Caller
from scurry.gateway.admin import Shown, shown_by
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcStream
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_methods import GrpcMethods, Method
from scurry.gateway.doors.grpc_operations import Operations
from scurry.gateway.doors.grpc_scopes import scope_of
from scurry.gateway.doors.grpc_state import StateOperations
from scurry.gateway.doors.grpc_stream import InferStream
from scurry.protocols import oip_pb2

SERVICE: Final = "/inference.GRPCInferenceService/"
INFER: Final = f"{SERVICE}ModelInfer"
STREAM: Final = f"{SERVICE}ModelStreamInfer"
METHODS: Final = (
    "ServerLive", "ServerReady", "ModelReady", "ServerMetadata", "ModelMetadata", "ModelConfig", "ModelStatistics",
    "RepositoryIndex", "RepositoryModelLoad", "RepositoryModelUnload",
    "SystemSharedMemoryStatus", "SystemSharedMemoryRegister", "SystemSharedMemoryUnregister",
    "CudaSharedMemoryStatus", "CudaSharedMemoryRegister", "CudaSharedMemoryUnregister",
    "TraceSetting", "LogSettings",
)  # fmt: skip
"""All but the two that infer; each has a coroutine of its name in one of the operations, and messages of its name."""



class OpenInferenceGrpc:
    """Answers calls of the Open Inference Protocol."""

    def __init__(
        self, inference: GrpcInference, operations: Operations, state: StateOperations, access: Access | None = None
    ) -> None:
        self._inference = inference
        methods: dict[str, tuple[type[Message], Method]] = {}
        for name in METHODS:
            owner = operations if hasattr(operations, _snake(name)) else state
            methods[name] = getattr(oip_pb2, f"{name}Request"), _method(getattr(owner, _snake(name)))
        self._methods = GrpcMethods(SERVICE, methods, scope_of, access or Access())

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message. Never raises."""
        if call.head.path == INFER:
            self._inference.begin(call.head, message, call.room, call.answer, lambda cause, _: call.refuse(cause))
            return
        self._methods.begin(call, message)

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of a call that has many."""
        return InferStream(self._inference, call) if call.head.path == STREAM else None

    def __repr__(self) -> str:
        return f"<OpenInferenceGrpc {self._inference!r}>"


def _method(operation: Callable[[Any, Shown], Awaitable[Message]]) -> Method:
    """An operation, which is told what its caller shows."""

    async def answer(asked: Any, call: GrpcCall, caller: Caller) -> Message:  # noqa: ANN401 - one of its messages
        return await operation(asked, shown_by(call.head.metadata, caller))

    return answer


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
