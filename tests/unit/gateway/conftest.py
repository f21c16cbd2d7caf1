"""A client without Redis, and the HTTP door before it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from multidict import CIMultiDict
from tests.unit.gateway.canned import CannedClient

from scurry.client.answers import Answer
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.health import Health
from scurry.gateway.limits import Admission
from scurry.gateway.models import Models
from scurry.gateway.server_state import ServerState
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Update

SPEC = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
RECORD: dict[str, Any] = {
    "versions": [
        {"version": "1", "state": "ready", "runtime": "onnx", "max_batch_size": 8,
         "signature": {"inputs": [SPEC], "outputs": [SPEC | {"name": "y", "datatype": "BYTES"}], "batched": True}},
        {"version": "2", "state": "failed", "runtime": "onnx", "reason": "No such file."},
    ],
    "aliases": {"best": "1", "next": "2"},
    "routes": {"1": 1},
}  # fmt: skip


class FakeClient(CannedClient):
    """Answers each request with its own inputs, or with what the test says."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, InferRequest, dict[str, Any]]] = []
        self.failure: Exception | None = None
        self.updates: list[Update] = []
        self.records = {"m": RECORD}
        self.looks = 0
        self.record_looks = 0
        self.redis: Exception | None = None
        self.told_of_job: dict[str, str] = {}

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        self.asked.append((model, request, options))
        if self.failure:
            raise self.failure
        if model not in self.records:
            raise error("model_not_found", f"No model is called {model!r}.")
        return Answer(model, options.get("version") or "1", InferReply(outputs=request.inputs))

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        self.looks += 1
        page = [name for name in sorted(self.records) if name > after]
        return {name: self.records[name] for name in page[: limit or None]}

    async def record(self, model: str) -> dict[str, Any] | None:
        self.record_looks += 1
        return self.records.get(model)

    async def update(self, update: Update, **options: Any) -> dict[str, Any]:
        self.updates.append(update)
        return RECORD

    async def job(self) -> dict[str, str]:
        return self.told_of_job

    async def ping(self) -> None:
        if self.redis:
            raise self.redis


class Caller:
    """Calls the door without a socket."""

    def __init__(self, client: FakeClient) -> None:
        self._client = client
        self.admission = Admission(64 * 1024 * 1024)
        self.open(ServerState.private())

    def open(self, state: ServerState) -> None:
        """A door with this state in the former one's place."""
        ask, admin = Ask(self._client, max_in_flight=2, timeout_s=30.0), Admin(self._client, key="", host="127.0.0.1")
        self.door = OpenInferenceHttp(ask, Models(self._client), Health(self._client), admin, state=state)

    async def __call__(
        self, method: str, target: str, body: bytes | dict[str, Any] = b"", **headers: str
    ) -> tuple[HttpReply, Any]:
        """The reply, and the JSON it begins with."""
        sent = body if isinstance(body, bytes) else orjson.dumps(body)
        named = CIMultiDict({name.replace("_", "-"): value for name, value in headers.items()})
        with self.admission.room() as room:
            reply = await answered(self.door, Head(method, target, named, len(sent), True), sent, room)
        return reply, orjson.loads(reply.parts[0])


@pytest.fixture
def client() -> FakeClient:
    """A client without Redis that knows one model, `m`."""
    return FakeClient()


@pytest.fixture
def call(client: FakeClient) -> Caller:
    """The door, called as a function."""
    return Caller(client)
