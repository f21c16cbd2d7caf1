"""What GRPCInferenceService tells of the server and of models."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf.json_format import ParseDict
from google.protobuf.message import Message

from scurry.gateway import describe
from scurry.gateway.admin import Shown
from scurry.gateway.ask import check_names
from scurry.gateway.health import Health, is_ready
from scurry.gateway.models import Models
from scurry.gateway.repository import Repository
from scurry.gateway.statistics import statistics_of
from scurry.protocols import oip_pb2 as oip
from scurry.wire.errors import NotFound

M = TypeVar("M", bound=Message)


class Operations:
    """One coroutine for each method. Each raises `ScurryError`."""

    def __init__(self, models: Models, health: Health, repository: Repository, server: describe.Server) -> None:
        self._models, self._health, self._repository, self._server = models, health, repository, server

    async def server_live(self, _: oip.ServerLiveRequest, __: Shown) -> oip.ServerLiveResponse:
        """Whether there is an answer."""
        return oip.ServerLiveResponse(live=True)

    async def server_ready(self, _: oip.ServerReadyRequest, __: Shown) -> oip.ServerReadyResponse:
        """Whether Redis and the job answer."""
        return oip.ServerReadyResponse(ready=is_ready(await self._health.report()))

    async def model_ready(self, asked: oip.ModelReadyRequest, _: Shown) -> oip.ModelReadyResponse:
        """Whether a model takes requests; one that is not registered does not."""
        try:
            check_names(asked.name, asked.version)
            record = await self._models.record(asked.name)
            ready = describe.is_ready(record, asked.name, asked.version)
        except NotFound:
            ready = False
        return oip.ModelReadyResponse(ready=ready)

    async def server_metadata(self, _: oip.ServerMetadataRequest, __: Shown) -> oip.ServerMetadataResponse:
        """Who answers here."""
        return message(describe.server(self._server), oip.ServerMetadataResponse())

    async def model_metadata(self, asked: oip.ModelMetadataRequest, _: Shown) -> oip.ModelMetadataResponse:
        """What a model takes and gives."""
        check_names(asked.name, asked.version)
        record = await self._models.record(asked.name)
        return message(describe.metadata(record, asked.name, asked.version), oip.ModelMetadataResponse())

    async def model_config(self, asked: oip.ModelConfigRequest, _: Shown) -> oip.ModelConfigResponse:
        """A model's configuration."""
        check_names(asked.name, asked.version)
        record = await self._models.record(asked.name)
        told = describe.configuration(record, asked.name, asked.version)
        return oip.ModelConfigResponse(config=message(told, oip.ModelConfig()))

    async def model_statistics(self, asked: oip.ModelStatisticsRequest, _: Shown) -> oip.ModelStatisticsResponse:
        """Counters of a model, or of all."""
        if asked.name:
            check_names(asked.name, asked.version)
        told = await statistics_of(self._models, asked.name, asked.version)
        return message({"model_stats": told}, oip.ModelStatisticsResponse())

    async def repository_index(self, asked: oip.RepositoryIndexRequest, _: Shown) -> oip.RepositoryIndexResponse:
        """Every version of every model."""
        told = describe.index(await self._models.records(), ready_only=asked.ready)
        return message({"models": told}, oip.RepositoryIndexResponse())

    async def repository_model_load(
        self, asked: oip.RepositoryModelLoadRequest, shown: Shown
    ) -> oip.RepositoryModelLoadResponse:
        """Bring a model into memory."""
        check_names(asked.model_name)
        await self._repository.load(asked.model_name, _parameters(asked.parameters), shown)
        return oip.RepositoryModelLoadResponse()

    async def repository_model_unload(
        self, asked: oip.RepositoryModelUnloadRequest, shown: Shown
    ) -> oip.RepositoryModelUnloadResponse:
        """Take a model out of memory."""
        check_names(asked.model_name)
        await self._repository.unload(asked.model_name, _parameters(asked.parameters), shown)
        return oip.RepositoryModelUnloadResponse()

    def __repr__(self) -> str:
        return f"<Operations of {self._models!r}>"


def message(told: Mapping[str, Any], into: M) -> M:
    """A message out of what the core tells; what the protocol has no field for is left out."""
    return ParseDict(dict(told), into, ignore_unknown_fields=True)


def _parameters(given: Mapping[str, oip.ModelRepositoryParameter]) -> dict[str, object]:
    return {name: choice(one) for name, one in given.items()}


def choice(one: Any) -> object:  # noqa: ANN401 - any message with that choice
    """The value of a parameter; None when it has none."""
    which = one.WhichOneof("parameter_choice")
    return None if which is None else getattr(one, which)
