"""The gRPC door: the Open Inference Protocol's GRPCInferenceService.

It knows gRPC's words, not its sockets: a call comes with its method and message and is given answers or a status.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

from google.protobuf.message import DecodeError, Message

from scurry.gateway.access import ANYBODY, Access
from scurry.gateway.admin import Shown
from scurry.gateway.ask import told
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcStream
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_operations import Operations
from scurry.gateway.doors.grpc_scopes import scope_of
from scurry.gateway.doors.grpc_state import StateOperations
from scurry.gateway.doors.grpc_stream import InferStream
from scurry.gateway.doors.scopes import NOBODYS
from scurry.protocols import oip_pb2
from scurry.wire.errors import InvalidRequest, ScurryError

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

Method = Callable[[Any, Shown], Awaitable[Message]]


class OpenInferenceGrpc:
    """Answers calls of the Open Inference Protocol."""

    def __init__(
        self, inference: GrpcInference, operations: Operations, state: StateOperations, access: Access | None = None
    ) -> None:
        self._inference, self._access = inference, access or Access()
        self._methods: dict[str, tuple[type[Message], Method]] = {}
        for name in METHODS:
            owner = operations if hasattr(operations, _snake(name)) else state
            self._methods[f"{SERVICE}{name}"] = getattr(oip_pb2, f"{name}Request"), getattr(owner, _snake(name))
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message. Never raises."""
        if call.head.path == INFER:
            self._inference.begin(call.head, message, call.room, call.answer, lambda cause, _: call.refuse(cause))
            return
        task = asyncio.get_running_loop().create_task(self._operate(call, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of a call that has many."""
        return InferStream(self._inference, call) if call.head.path == STREAM else None

    async def _operate(self, call: GrpcCall, message: bytes) -> None:
        found = self._methods.get(call.head.path)
        if found is None:
            sentence = f"There is no method {call.head.path[:128]!r}: this port has {SERVICE[1:-1]}."
            call.refuse(InvalidRequest("bad_request", sentence), code="UNIMPLEMENTED")
            return
        kind, method = found
        try:
            async with asyncio.timeout(call.head.timeout_us / 1e6 or None):
                asked = kind.FromString(message)
                answer = await method(asked, self._shown(call, asked))
        except DecodeError:
            call.refuse(InvalidRequest("bad_request", f"The message is no {kind.DESCRIPTOR.name}."))
        except TimeoutError:
            call.refuse(ScurryError("deadline_exceeded", "There was no answer within the time that the caller gave."))
        except Exception as cause:
            call.refuse(told(cause))
        else:
            call.answer((answer.SerializeToString(),))

    def _shown(self, call: GrpcCall, asked: Message) -> Shown:
        """The key that a caller shows. Raises `not_authenticated` or `not_allowed`."""
        metadata, needed = call.head.metadata, scope_of(call.head.path.rpartition("/")[2], asked)
        caller = ANYBODY if needed.scope == NOBODYS else self._access.check(metadata, needed.scope, needed.model)
        scheme, _, token = metadata.get("authorization", "").partition(" ")
        key = token.strip() if scheme.lower() == "bearer" else metadata.get("x-admin-key", "")
        return Shown(key, "origin" in metadata, caller)

    def __repr__(self) -> str:
        return f"<OpenInferenceGrpc {self._inference!r}>"


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
