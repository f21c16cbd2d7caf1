"""What callers set over gRPC: shared memory, traces, logs."""

from __future__ import annotations

from scurry.gateway.admin import Shown
from scurry.gateway.ask import check_names
from scurry.gateway.doors.grpc_operations import choice, message
from scurry.gateway.models import Models
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import CUDA
from scurry.protocols import oip_pb2 as oip
from scurry.wire.errors import InvalidRequest


class StateOperations:
    """One coroutine for each method. Each raises `ScurryError`."""

    def __init__(self, models: Models, state: ServerState) -> None:
        self._models, self._memory, self._settings = models, state.memory, state.settings

    async def system_shared_memory_status(
        self, asked: oip.SystemSharedMemoryStatusRequest, _: Shown
    ) -> oip.SystemSharedMemoryStatusResponse:
        """The regions that are registered."""
        told = {one["name"]: one for one in self._memory.status(asked.name)}
        return message({"regions": told}, oip.SystemSharedMemoryStatusResponse())

    async def system_shared_memory_register(
        self, asked: oip.SystemSharedMemoryRegisterRequest, _: Shown
    ) -> oip.SystemSharedMemoryRegisterResponse:
        """Make a region known."""
        self._memory.register(asked.name, asked.key, asked.offset, asked.byte_size)
        return oip.SystemSharedMemoryRegisterResponse()

    async def system_shared_memory_unregister(
        self, asked: oip.SystemSharedMemoryUnregisterRequest, _: Shown
    ) -> oip.SystemSharedMemoryUnregisterResponse:
        """Forget a region, or all."""
        if asked.name:
            self._memory.unregister(asked.name)
        else:
            self._memory.unregister_all()
        return oip.SystemSharedMemoryUnregisterResponse()

    async def cuda_shared_memory_status(
        self, _: oip.CudaSharedMemoryStatusRequest, __: Shown
    ) -> oip.CudaSharedMemoryStatusResponse:
        """None is registered, ever."""
        return oip.CudaSharedMemoryStatusResponse()

    async def cuda_shared_memory_register(
        self, _: oip.CudaSharedMemoryRegisterRequest, __: Shown
    ) -> oip.CudaSharedMemoryRegisterResponse:
        """Refused."""
        raise InvalidRequest("bad_request", CUDA)

    async def cuda_shared_memory_unregister(
        self, _: oip.CudaSharedMemoryUnregisterRequest, __: Shown
    ) -> oip.CudaSharedMemoryUnregisterResponse:
        """There is nothing to forget."""
        return oip.CudaSharedMemoryUnregisterResponse()

    async def trace_setting(self, asked: oip.TraceSettingRequest, _: Shown) -> oip.TraceSettingResponse:
        """Change settings of traces, tell all of them."""
        if asked.model_name:
            check_names(asked.model_name)
            await self._models.record(asked.model_name)
        changes = {name: list(one.value) or None for name, one in asked.settings.items()}
        if changes:
            told = self._settings.set_trace(changes, asked.model_name)
        else:
            told = self._settings.trace(asked.model_name)
        response = oip.TraceSettingResponse()
        for name, value in told.items():
            response.settings[name].value.extend(value if isinstance(value, list) else [value])
        return response

    async def log_settings(self, asked: oip.LogSettingsRequest, _: Shown) -> oip.LogSettingsResponse:
        """Change settings of logs, tell all of them."""
        changes = {name: choice(one) for name, one in asked.settings.items()}
        told = self._settings.set_log(changes) if changes else self._settings.log()
        response = oip.LogSettingsResponse()
        for name, value in told.items():
            kind = {bool: "bool_param", int: "uint32_param"}.get(type(value), "string_param")
            setattr(response.settings[name], kind, value)
        return response

    def __repr__(self) -> str:
        return f"<StateOperations with {self._memory!r}>"
