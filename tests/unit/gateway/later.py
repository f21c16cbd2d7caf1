"""Results over a Redis in memory, and the job's part of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.unit.client.conftest import FakeRedis

from scurry.client.client import Client
from scurry.gateway.ask import Ask, InferCall
from scurry.gateway.results import NEVER_RAN, Results
from scurry.redis import dial
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor

SECONDS = 600
X = Tensor(name="x", datatype="INT32", shape=[2], data=b"\1\0\0\0\2\0\0\0")
REFUSED = {code.encode() for code in NEVER_RAN}
FORM = {"protocol": "oip", "id": "mine", "every": False}


class Job:
    """Answers what is asked with its inputs: at once, or when told to; each id once, as the egress does."""

    def __init__(self, redis: FakeRedis) -> None:
        self.redis = redis
        self.answers = True
        self.fields: list[dict[bytes, bytes]] = []
        self.code = ""
        redis.job = self.take

    def take(self, fields: dict[bytes, bytes]) -> dict[str, Any] | None:
        self.fields.append(fields)
        return self.reply_to(fields) if self.answers else None

    def reply_to(self, fields: dict[bytes, bytes]) -> dict[str, Any]:
        """The first result stands, except that a refusal is none."""
        key = b"scurry:result:" + fields[b"id"]
        stands = self.redis.hashes.get(key, [])
        if not stands or REFUSED.intersection(stands):
            request = InferRequest.FromString(fields[b"request"])
            told: dict[str, Any] = {"status": "ok", "version": "1"}
            told["reply"] = InferReply(outputs=request.inputs).SerializeToString()
            if self.code:
                told = {"status": "error", "error": self.code, "message": "No."}
            flat = [b"id", fields[b"id"], b"model", fields[b"model"]]
            for name, value in told.items():
                flat += [name.encode(), value if isinstance(value, bytes) else value.encode()]
            stands = flat
            if int(fields[b"keep"]):
                self.redis.hashes[key] = flat
                self.redis.lives[key] = int(fields[b"keep"])
        pairs = zip(stands[4::2], stands[5::2], strict=True)
        return {name.decode(): value for name, value in pairs}

    def answer(self) -> None:
        """Answer everything that is owed."""
        for fields in self.fields:
            self.redis.reply(fields, self.reply_to(fields))


@pytest.fixture
def redis(monkeypatch: pytest.MonkeyPatch) -> FakeRedis:
    """A Redis in memory."""
    fake = FakeRedis()
    monkeypatch.setattr(dial, "connect", fake.connect)
    return fake


@pytest.fixture
def job(redis: FakeRedis) -> Job:
    """The job behind it."""
    return Job(redis)


@pytest.fixture
async def client(job: Job) -> AsyncIterator[Client]:
    """A gateway's client."""
    async with Client() as made:
        yield made


@pytest.fixture
async def results(client: Client) -> AsyncIterator[Results]:
    """A gateway's results."""
    made = gateway(client)
    yield made
    await made.close()


def gateway(client: Client) -> Results:
    """One more."""
    return Results(Ask(client, max_in_flight=10, timeout_s=5.0), client, seconds=SECONDS)


def call(request_id: str, model: str = "m", tensor: Tensor = X, **more: Any) -> InferCall:
    """A request of one tensor."""
    return InferCall(model, request_id, InferRequest(inputs=[tensor]).SerializeToString(), (), **more)
