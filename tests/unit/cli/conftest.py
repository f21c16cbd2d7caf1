"""A client that talks to nobody, for the verbs' tests."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest

from scurry.client.answers import Answer
from scurry.wire.errors import NotFound
from scurry.wire.infer_pb2 import InferReply
from scurry.wire.tensors import to_tensor

RECORD = {
    "model": "digits",
    "versions": [
        {
            "version": "1",
            "state": "ready",
            "runtime": "onnx",
            "uri": "/digits.onnx",
            "warnings": ["The warm-up failed."],
            "signature": {
                "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}],
                "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
                "batched": True,
            },
        },
        {"version": "2", "state": "failed", "reason": "No such file."},
    ],
    "routes": {"1": 1},
    "aliases": {"stable": "1"},
}


class FakeClient:
    """Remembers what it was asked, answers from attributes."""

    def __init__(self) -> None:
        self.view: dict[str, Any] = {"digits": RECORD}
        self.updates: list[Any] = []
        self.asked: list[tuple[str, Any]] = []
        self.fields: dict[bytes, bytes] = {b"status": b"ok", b"reply": b'{"outputs":[]}'}
        self.outputs: dict[str, Any] = {}
        self.failure: Exception | None = None
        self.changes: list[Any] = []
        self.options: list[dict[str, Any]] = []
        self.failures: list[Exception] = []
        self.kept: dict[str, Any] = {}

    async def __aenter__(self):
        if self.failure:
            raise self.failure
        return self

    async def __aexit__(self, *_):
        pass

    async def record(self, model):
        return (await self.models()).get(model)

    async def models(self, *, limit=0, after=""):
        page = [name for name in sorted(self.view) if name > after]
        return {name: self.view[name] for name in page[: limit or None]}

    async def history(self, model, *, limit):
        self.asked.append((model, limit))
        return self.changes

    async def events(self):
        return self.changes

    async def update(self, update, *, timeout):  # noqa: ASYNC109 - as the client's
        self.updates.append(update)
        return RECORD

    async def announce(self, update):
        self.updates.append(update)
        return "1-1"

    def submit(self, model, body, **options):
        self.asked.append((model, body))
        self.options.append(options)
        future = asyncio.get_running_loop().create_future()
        future.set_result(self.fields)
        return future

    async def body(self, fields):
        return fields[b"reply"]

    async def result(self, id):  # noqa: A002 - as the client's
        if id not in self.kept:
            raise NotFound("result_not_found", "There is none.")
        if isinstance(self.kept[id], Exception):
            raise self.kept[id]
        return Answer("digits", "1", InferReply(outputs=[to_tensor("label", self.kept[id])]))

    async def infer(self, model, inputs, **options):
        self.asked.append((model, inputs))
        self.options.append(options)
        if self.failures:
            failure = self.failures.pop()
            if "id" in options:
                self.kept[options["id"]] = failure  # as the job keeps it
            raise failure
        return self.outputs


@pytest.fixture
def asker(monkeypatch) -> FakeClient:
    """What every verb gets for its client."""
    from scurry.cli import apply, export, history, models, predict, register, rollout, scan

    fake = FakeClient()
    for module in (apply, export, history, models, predict, register, rollout, scan):
        monkeypatch.setattr(module, "client", lambda args: fake)
    return fake


@pytest.fixture(autouse=True)
def clean(monkeypatch, tmp_path):
    """No setting of the one who runs the tests, and a directory without a running `scurry up`."""
    from scurry.cli import main as module

    for name in [name for name in os.environ if name.startswith("SCURRY_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "show_as", lambda title: None)
