"""The gateway on a real socket, before a client that answers with the inputs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.unit.gateway.canned import CannedClient

from scurry.client.answers import Answer
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors import listener, patience
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.health import Health
from scurry.gateway.limits import COPIES, Admission
from scurry.gateway.models import Models
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply, InferRequest

LIMIT = 200_000
BODY = json.dumps({"inputs": [{"name": "x", "shape": [2], "datatype": "INT32", "data": [1, 2]}]}).encode()
SPEC = {"name": "x", "datatype": "FP32", "shape": [-1, 3]}
RECORD = {
    "versions": [
        {"version": "1", "state": "ready", "runtime": "onnx", "max_batch_size": 8,
         "signature": {"inputs": [SPEC], "outputs": [SPEC], "batched": True}},
    ],
}  # fmt: skip


class Echo(CannedClient):
    """Answers with the inputs, once the gate is open."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.asked = 0

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        self.asked += 1
        self.busy.set()
        await self.gate.wait()
        if model != "m":
            raise error("model_not_found", f"No model is called {model!r}.")
        return Answer(model, options.get("version") or "1", InferReply(outputs=request.inputs))

    async def models(self, *, limit: int = 0, after: str = "") -> dict[str, dict[str, Any]]:
        return {"m": RECORD}

    async def record(self, model: str) -> dict[str, Any] | None:
        return RECORD if model == "m" else None

    async def job(self) -> dict[str, str]:
        return {}

    async def update(self, update: Any, **options: Any) -> dict[str, Any]:
        raise AssertionError("nobody may")

    async def ping(self) -> None:
        return


@dataclass
class Gateway:
    """The listener under test."""

    port: int
    client: Echo
    listener: Listener

    async def send(self, data: bytes) -> bytes:
        """Send bytes, return all that comes back until the connection closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@pytest.fixture(name="gateway")
async def listening(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """A gateway with small limits."""
    monkeypatch.setattr(patience, "LINGER_S", 0.1)
    monkeypatch.setattr(listener, "LOOK_S", 0.02)
    client = Echo()
    admin = Admin(client, key="", host="0.0.0.0")
    door = OpenInferenceHttp(Ask(client, max_in_flight=100, timeout_s=10), Models(client), Health(client), admin)
    made = Listener(door, Admission(4 * COPIES * LIMIT), max_body_bytes=LIMIT, body_timeout_s=0.5)
    port = await made.open("127.0.0.1", 0)
    yield Gateway(port, client, made)
    await made.close(1)


def post(body: bytes, *headers: str, version: str = "1.1", target: str = "/v2/models/m/infer") -> bytes:
    """A whole POST request, closing unless told otherwise."""
    lines = [f"POST {target} HTTP/{version}", "Host: x", *headers]
    if not any(line.lower().startswith(("transfer-encoding", "content-length")) for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status(answer: bytes) -> int:
    """The status of the first response."""
    return int(answer.split(b" ", 2)[1])


CLOSE = "Connection: close"
