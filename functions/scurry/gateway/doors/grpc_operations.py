"""Everything of GRPCInferenceService but inference: one coroutine for each method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from scurry.gateway import describe
from scurry.gateway.admin import Access
from scurry.gateway.ask import check_names
from scurry.gateway.health import Health, is_ready
from scurry.gateway.models import Models
from scurry.gateway.repository import Repository
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import CUDA
from scurry.gateway.statistics import statistics
from scurry.protocols import oip_pb2 as oip
from scurry.wire.errors import InvalidRequest, NotFound

M = TypeVar("M", bound=Message)


class Operations:
    """Answers what is asked of the server and of models. Each raises `ScurryError`."""

    def __init__(self, models: Models, health: Health, repository: Repository, state: ServerState) -> None:
        self._models, self._health, self._repository = models, health, repository
        self._memory, self._settings, self._server = state.memory, state.settings, state.server

    async def server_live(self, _: oip.ServerLiveRequest, __: Access) -> oip.ServerLiveResponse:
        """Whether there is an answer."""
        return oip.ServerLiveResponse(live=True)

    async def server_ready(self, _: oip.ServerReadyRequest, __: Access) -> oip.ServerReadyResponse:
        """Whether Redis and the job answer."""
        return oip.ServerReadyResponse(ready=is_ready(await self._health.report()))

    async def model_ready(self, asked: oip.ModelReadyRequest, _: Access) -> oip.ModelReadyResponse:
        """Whether a model takes requests; one that is not registered does not."""
        try:
            check_names(asked.name, asked.version)
            record = await self._models.record(asked.name)
            ready = describe.is_ready(record, asked.name, asked.version)
        except NotFound:
            ready = False
        return oip.ModelReadyResponse(ready=ready)

    async def server_metadata(self, _: oip.ServerMetadataRequest, __: Access) -> oip.ServerMetadataResponse:
        """Who answers here."""
        return _message(describe.server(self._server), oip.ServerMetadataResponse())

    async def model_metadata(self, asked: oip.ModelMetadataRequest, _: Access) -> oip.ModelMetadataResponse:
        """What a model takes and gives."""
        check_names(asked.name, asked.version)
        record = await self._models.record(asked.name)
        return _message(describe.metadata(record, asked.name, asked.version), oip.ModelMetadataResponse())

    async def model_config(self, asked: oip.ModelConfigRequest, _: Access) -> oip.ModelConfigResponse:
        """A model's configuration."""
        check_names(asked.name, asked.version)
        record = await self._models.record(asked.name)
        told = describe.configuration(record, asked.name, asked.version)
        return oip.ModelConfigResponse(config=_message(told, oip.ModelConfig()))

    async def model_statistics(self, asked: oip.ModelStatisticsRequest, _: Access) -> oip.ModelStatisticsResponse:
        """Counters of a model, or of all."""
        if asked.name:
            check_names(asked.name, asked.version)
            told = statistics(await self._models.record(asked.name), asked.name, asked.version)
        else:
            records = await self._models.records()
            told = [one for name in sorted(records) for one in statistics(records[name], name, "")]
        return _message({"model_stats": told}, oip.ModelStatisticsResponse())

    async def repository_index(self, asked: oip.RepositoryIndexRequest, _: Access) -> oip.RepositoryIndexResponse:
        """Every version of every model."""
        told = describe.index(await self._models.records(), ready_only=asked.ready)
        return _message({"models": told}, oip.RepositoryIndexResponse())

    async def repository_model_load(
        self, asked: oip.RepositoryModelLoadRequest, access: Access
    ) -> oip.RepositoryModelLoadResponse:
        """Bring a model into memory."""
        check_names(asked.model_name)
        await self._repository.load(asked.model_name, _parameters(asked.parameters), access)
        return oip.RepositoryModelLoadResponse()

    async def repository_model_unload(
        self, asked: oip.RepositoryModelUnloadRequest, access: Access
    ) -> oip.RepositoryModelUnloadResponse:
        """Take a model out of memory."""
        check_names(asked.model_name)
        await self._repository.unload(asked.model_name, _parameters(asked.parameters), access)
        return oip.RepositoryModelUnloadResponse()

    async def system_shared_memory_status(
        self, asked: oip.SystemSharedMemoryStatusRequest, _: Access
    ) -> oip.SystemSharedMemoryStatusResponse:
        """The regions that are registered."""
        told = {one["name"]: one for one in self._memory.status(asked.name)}
        return _message({"regions": told}, oip.SystemSharedMemoryStatusResponse())

    async def system_shared_memory_register(
        self, asked: oip.SystemSharedMemoryRegisterRequest, _: Access
    ) -> oip.SystemSharedMemoryRegisterResponse:
        """Make a region known."""
        self._memory.register(asked.name, asked.key, asked.offset, asked.byte_size)
        return oip.SystemSharedMemoryRegisterResponse()

    async def system_shared_memory_unregister(
        self, asked: oip.SystemSharedMemoryUnregisterRequest, _: Access
    ) -> oip.SystemSharedMemoryUnregisterResponse:
        """Forget a region, or all."""
        if asked.name:
            self._memory.unregister(asked.name)
        else:
            self._memory.unregister_all()
        return oip.SystemSharedMemoryUnregisterResponse()

    async def cuda_shared_memory_status(
        self, _: oip.CudaSharedMemoryStatusRequest, __: Access
    ) -> oip.CudaSharedMemoryStatusResponse:
        """None is registered, ever."""
        return oip.CudaSharedMemoryStatusResponse()

    async def cuda_shared_memory_register(
        self, _: oip.CudaSharedMemoryRegisterRequest, __: Access
    ) -> oip.CudaSharedMemoryRegisterResponse:
        """Refused."""
        raise InvalidRequest("bad_request", CUDA)

    async def cuda_shared_memory_unregister(
        self, _: oip.CudaSharedMemoryUnregisterRequest, __: Access
    ) -> oip.CudaSharedMemoryUnregisterResponse:
        """There is nothing to forget."""
        return oip.CudaSharedMemoryUnregisterResponse()

    async def trace_setting(self, asked: oip.TraceSettingRequest, _: Access) -> oip.TraceSettingResponse:
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

    async def log_settings(self, asked: oip.LogSettingsRequest, _: Access) -> oip.LogSettingsResponse:
        """Change settings of logs, tell all of them."""
        changes = {name: _choice(one) for name, one in asked.settings.items()}
        told = self._settings.set_log(changes) if changes else self._settings.log()
        response = oip.LogSettingsResponse()
        for name, value in told.items():
            kind = {bool: "bool_param", int: "uint32_param"}.get(type(value), "string_param")
            setattr(response.settings[name], kind, value)
        return response

    def __repr__(self) -> str:
        return f"<Operations of {self._models!r}>"


def _message(told: Mapping[str, Any], message: M) -> M:
    """A message out of what the core tells; what the protocol has no field for is left out."""
    return ParseDict(dict(told), message, ignore_unknown_fields=True)


def _parameters(given: Mapping[str, oip.ModelRepositoryParameter]) -> dict[str, object]:
    return {name: _choice(one) for name, one in given.items()}


def _choice(one: Any) -> object:  # noqa: ANN401 - any message with that choice
    which = one.WhichOneof("parameter_choice")
    return None if which is None else getattr(one, which)
