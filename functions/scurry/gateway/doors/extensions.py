"""Triton's extensions over HTTP, all but those of inference itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from scurry.gateway.admin import shown_by
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.paths import Operation
from scurry.gateway.models import Models
from scurry.gateway.repository import Repository
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import CUDA, refuse_pages
from scurry.gateway.statistics import statistics_of
from scurry.protocols import oip_json
from scurry.wire.errors import InvalidRequest

OPERATIONS: Final = frozenset(
    {
        "statistics", "load", "unload", "trace", "logging", "system_memory_status", "system_memory_register",
        "system_memory_unregister", "cuda_memory_status", "cuda_memory_register", "cuda_memory_unregister",
    }
)  # fmt: skip
"""What is answered here."""


class Extensions:
    """Answers the operations of Triton's extensions with JSON."""

    def __init__(self, models: Models, repository: Repository, state: ServerState) -> None:
        self._models, self._repository = models, repository
        self._memory, self._settings = state.memory, state.settings

    async def answer(self, operation: Operation, head: Head, body: bytes) -> Any:  # noqa: ANN401
        """The JSON document of an answer. Raises `ScurryError`."""
        asked = oip_json.load(body) if body else {}
        name, kind = operation.name, operation.name.partition("_")[0]
        if name in ("load", "unload"):
            act = self._repository.load if name == "load" else self._repository.unload
            await act(operation.model, oip_json.parameters(asked), shown_by(head.headers, head.caller))
            return {}
        if kind in ("system", "cuda"):
            if not name.endswith("status"):
                refuse_pages(head.headers)
            return self._cuda(operation) if kind == "cuda" else self._system(operation, asked)
        if name == "statistics":
            return {"model_stats": await statistics_of(self._models, operation.model, operation.version)}
        if operation.model:
            await self._models.record(operation.model)
        if name == "trace":
            return self._settings.set_trace(asked, operation.model) if body else self._settings.trace(operation.model)
        return self._settings.set_log(asked) if body else self._settings.log()

    def _system(self, operation: Operation, asked: Mapping[str, Any]) -> Any:  # noqa: ANN401
        if operation.name.endswith("_status"):
            return self._memory.status(operation.region)
        if operation.name.endswith("_register"):
            key = asked.get("key")
            if not isinstance(key, str):
                raise InvalidRequest("bad_request", "Shared memory register request has no 'key' field that is a text.")
            offset, size = _whole(asked, "offset", 0), _whole(asked, "byte_size", None)
            self._memory.register(operation.region, key, offset, size)
        elif operation.region:
            self._memory.unregister(operation.region)
        else:
            self._memory.unregister_all()
        return {}

    def _cuda(self, operation: Operation) -> Any:  # noqa: ANN401
        """There is none: none is told, none is forgotten, and none can be registered."""
        if operation.name.endswith("_register") or (operation.region and operation.name.endswith("_status")):
            raise InvalidRequest("bad_request", CUDA)
        return [] if operation.name.endswith("_status") else {}

    def __repr__(self) -> str:
        return f"<Extensions with {self._memory!r}, {self._settings!r}>"


def _whole(asked: Mapping[str, Any], field: str, otherwise: int | None) -> int:
    value = asked.get(field, otherwise)
    if type(value) is not int or value < 0:
        raise InvalidRequest("bad_request", f"Shared memory register request needs {field!r}, a whole number from 0.")
    return value
