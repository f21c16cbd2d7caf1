"""Asking: arrays and messages in, arrays and messages out, errors with their codes."""

import asyncio
import json
import os
import pickle

import numpy as np
import pytest

from scurry.client import readiness
from scurry.client.client import Client
from scurry.redis import dial
from scurry.wire.errors import Failed, InvalidRequest, NotFound, Unavailable
from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.messages_pb2 import Register, Update
from scurry.wire.names import CLAIM_CHECK_BYTES
from scurry.wire.tensors import to_array, to_tensor


@pytest.fixture
async def client(redis):
    """A client of a fake Redis."""
    async with Client("redis://fake:1/0") as opened:
        yield opened


def doubling(redis):
    """A job that answers `y = 2 x`, wherever x lies."""

    def job(fields):
        request = InferRequest.FromString(fields[b"request"])
        x = request.inputs[0]
        data = redis.strings[x.payload.encode()] if x.payload else None
        reply = InferReply(outputs=[to_tensor("y", to_array(x, data) * 2)])
        return {"status": "ok", "version": "3", "reply": reply.SerializeToString()}

    return job


async def test_arrays_go_in_and_come_out(client, redis):
    """Under the names of the model's inputs and outputs."""
    redis.job = doubling(redis)
    outputs = await client.infer("m", {"x": np.ones((1, 4), np.float32)})
    np.testing.assert_array_equal(outputs["y"], np.full((1, 4), 2, np.float32))


async def test_large_arrays_are_parked(client, redis):
    """Only their key is in the stream entry."""
    redis.job = doubling(redis)
    big = np.arange(CLAIM_CHECK_BYTES, dtype=np.float32)
    outputs = await client.infer("m", {"x": big})
    np.testing.assert_array_equal(outputs["y"], big * 2)
    assert len(redis.entries("scurry:requests")[0][b"request"]) < 200


async def test_a_message_is_parked_without_being_changed(client, redis):
    """The caller may send it again."""
    redis.job = doubling(redis)
    request = InferRequest(inputs=[to_tensor("x", np.ones(CLAIM_CHECK_BYTES, np.float32))])
    request.parameters["top"].int_value = 3
    before = request.SerializeToString(deterministic=True)
    answer = await client.ask("m", request)
    assert (answer.model, answer.version) == ("m", "3")
    assert request.SerializeToString(deterministic=True) == before
    sent = InferRequest.FromString(redis.entries("scurry:requests")[0][b"request"])
    assert sent.inputs[0].payload.startswith("scurry:payload:")
    assert sent.parameters["top"].int_value == 3


@pytest.mark.parametrize("by_message", [False, True])
async def test_another_large_array_is_another_question(client, redis, by_message):
    """Under one id a parked tensor of the same size does not take the place of the first, nor get its answer."""
    big = np.ones(CLAIM_CHECK_BYTES, np.float32)

    async def ask(array):
        if by_message:
            return await client.ask("m", InferRequest(inputs=[to_tensor("x", array)]), id="one", timeout=0.2)
        return await client.infer("m", {"x": array}, id="one", timeout=0.2)

    first = asyncio.create_task(ask(big))
    await asyncio.sleep(0.05)
    with pytest.raises(InvalidRequest) as conflict:
        await ask(big * 2)
    assert conflict.value.code == "id_conflict"
    with pytest.raises(Unavailable):
        await first
    with pytest.raises(Unavailable):
        await ask(big * 2)  # nobody waits any more: the job is to tell the two apart
    bodies = [InferRequest.FromString(entry[b"request"]) for entry in redis.entries("scurry:requests")]
    parked = [redis.strings[body.inputs[0].payload.encode()] for body in bodies]
    assert parked == [big.tobytes(), (big * 2).tobytes()]


async def test_parked_outputs_are_fetched_and_forgotten(client, redis):
    """A reply that nobody else can ask for leaves nothing in Redis."""
    redis.strings[b"out"] = np.float32([7]).tobytes()
    reply = InferReply()
    reply.outputs.add(name="y", datatype="FP32", shape=[1], payload="out")
    redis.strings[b"body"] = reply.SerializeToString()
    redis.job = lambda fields: {"status": "ok", "payload": "body"}
    assert (await client.infer("m", {"x": np.float32([1])}))["y"] == [7]
    await client.ping()
    assert redis.strings == {}


async def test_a_payload_that_is_gone_is_an_error(client, redis):
    """The sentence names the key."""
    redis.job = lambda fields: {"status": "ok", "payload": "gone"}
    with pytest.raises(InvalidRequest, match="gone") as caught:
        await client.infer("m", {"x": np.float32([1])})
    assert caught.value.code == "payload_missing"


async def test_an_error_reply_raises_its_code(client, redis):
    """The class follows from the code."""
    redis.job = lambda fields: {"status": "error", "error": "model_not_found", "message": "No model m."}
    with pytest.raises(NotFound, match="No model m") as caught:
        await client.ask("m", InferRequest())
    assert caught.value.code == "model_not_found"


async def test_a_reply_that_is_no_message_is_an_error(client, redis):
    """Not an exception of the protocol library."""
    redis.job = lambda fields: {"status": "ok", "reply": b"\xff\xff"}
    with pytest.raises(Failed, match="not an InferReply"):
        await client.ask("m", InferRequest())


async def test_an_id_of_ours_keeps_no_result(client, redis):
    """Nobody else knows it; under the caller's own id the job's default holds."""
    redis.job = doubling(redis)
    x = {"x": np.float32([1])}
    await client.infer("m", x)
    await client.infer("m", x, id="mine")
    await client.infer("m", x, id="mine too", keep=5)
    assert [entry.get(b"keep") for entry in redis.entries("scurry:requests")] == [b"0", None, b"5"]


async def test_what_was_said_about_a_request_is_in_its_entry(client, redis):
    """Version, sticky key, trace, priority, tenant and deadline; what was not said is not there."""
    redis.job = doubling(redis)
    request = InferRequest(inputs=[to_tensor("x", np.float32([1]))])
    said = {"version": "2", "key": "user", "traceparent": "00-1-2-01"}
    await client.ask("m", request, **said, priority=1, tenant="acme", timeout=9)
    entry = redis.entries("scurry:requests")[0]
    assert (entry[b"version"], entry[b"key"], entry[b"traceparent"]) == (b"2", b"user", b"00-1-2-01")
    assert (entry[b"priority"], entry[b"tenant"]) == (b"1", b"acme")
    assert int(entry[b"deadline"]) > 0
    await client.infer("m", {"x": np.float32([1])}, priority=2, tenant="b")
    await client.infer("m", {"x": np.float32([1])})
    given, none = redis.entries("scurry:requests")[1:]
    assert (given[b"priority"], given[b"tenant"]) == (b"2", b"b")
    assert none.keys().isdisjoint({b"priority", b"tenant", b"key", b"traceparent"})


async def test_a_body_is_answered_with_raw_fields(client, redis):
    """Even when its status is error: a load generator counts them."""
    redis.job = lambda fields: {"status": "error", "error": "overloaded", "message": "…"}
    fields = await client.submit("m", b"{}", encoding="inputs")
    assert fields[b"error"] == b"overloaded"
    assert redis.entries("scurry:requests")[0][b"inputs"] == b"{}"


async def test_an_update_returns_the_models_record(client, redis):
    """It is a registry message with the change inside."""
    redis.job = lambda fields: {"status": "ok", "record": json.dumps({"model": "m"})}
    record = await client.update(Update(model="m", register=Register(uri="/m.onnx")))
    entry = redis.entries("scurry:requests")[0]
    assert record == {"model": "m"}
    assert entry[b"kind"] == b"registry"
    assert Update.FromString(entry[b"request"]).register.uri == "/m.onnx"


async def test_an_announced_update_returns_its_entry(client, redis):
    """Nobody waits for what comes of it."""
    entry = await client.announce(Update(model="m", register=Register(uri="/m.onnx")))
    assert entry.startswith("1-")
    assert b"reply" not in redis.entries("scurry:requests")[0]


async def test_models_are_the_registrys_view(client, redis):
    """A record for each name."""
    redis.hashes[b"scurry:models"] = [b"m", b'{"model":"m"}']
    assert await client.models() == {"m": {"model": "m"}}


async def test_models_come_in_pages(client, redis):
    """In the order of their names, so many after the one given."""
    redis.hashes[b"scurry:models"] = [part for name in (b"c", b"a", b"b") for part in (name, b'{"model":"%b"}' % name)]
    pages = [await client.models(limit=2, after=after) for after in ("", "a", "b", "c", "bb")]
    assert [list(page) for page in pages] == [["a", "b"], ["b", "c"], ["c"], [], ["c"]]
    assert pages[0]["a"] == {"model": "a"}


async def test_a_kept_result_can_be_asked_for(client, redis):
    """By its id; without one there is an error."""
    redis.hashes[b"scurry:result:r"] = [b"status", b"ok", b"model", b"m", b"version", b"1", b"reply", b""]
    assert (await client.result("r")).version == "1"
    with pytest.raises(NotFound) as caught:
        await client.result("s")
    assert caught.value.code == "result_not_found"


def test_a_client_that_is_not_open_says_how_to_open_it():
    """Not an AttributeError about None."""
    with pytest.raises(RuntimeError, match="async with"):
        _ = Client().streams


async def test_a_client_that_was_closed_says_so(redis):
    """At once: nobody would answer it. Closing it again is nothing."""
    redis.job = doubling(redis)
    async with Client("redis://fake:1/0") as client:
        await client.infer("m", {"x": np.ones((1, 4), np.float32)})
    with pytest.raises(RuntimeError, match="not open"):
        await client.infer("m", {"x": np.ones((1, 4), np.float32)})
    await client.close()


async def test_a_refusal_leaves_the_id_free_for_another_try(client, redis):
    """And a conflict that the job finds is raised as one."""
    said = [{"status": "error", "error": "overloaded", "message": "Later."}, {"status": "ok", "reply": b""},
            {"status": "error", "error": "id_conflict", "message": "Used for another body."}]  # fmt: skip
    redis.job = lambda fields: said.pop(0)
    with pytest.raises(Unavailable):
        await client.ask("m", InferRequest(), id="mine")
    assert (await client.ask("m", InferRequest(), id="mine")).reply == InferReply()
    with pytest.raises(InvalidRequest) as conflict:
        await client.ask("m", InferRequest(outputs=["y"]), id="mine")
    assert conflict.value.code == "id_conflict"
    assert [entry[b"id"] for entry in redis.entries("scurry:requests")] == [b"mine"] * 3


async def test_lists_wait_for_a_redis_that_is_away_like_arrays(client, redis, monkeypatch):
    """The look at the signature is no reason to fail at once."""
    monkeypatch.setattr(dial, "BACK_OFF_S", (0.0, 0.0))
    redis.job, redis.down = doubling(redis), True
    redis.drop()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task = asyncio.create_task(client.infer("m", {"x": [1.0]}))
    await asyncio.sleep(0)
    redis.down = False
    assert (await asyncio.wait_for(task, 5))["y"] == [2.0]


async def test_bulk_requests_have_a_stream_of_their_own(client, redis):
    """Which is read when there is room; the answer comes as ever."""
    redis.job = doubling(redis)
    outputs = await client.infer("m", {"x": np.float32([1])}, bulk=True, id="mine", key="k")
    assert outputs["y"].tolist() == [2]
    assert not redis.entries("scurry:requests")
    assert redis.entries("scurry:bulk")[0][b"key"] == b"k"


def test_a_copy_elsewhere_is_a_client_of_its_own():
    """It has the same options, is not open, and answers to another reply stream."""
    for url in ("redis://h:1/0", "http://h:1"):
        client = Client(url, namespace="n", retries=3, api_key="k")
        copy = pickle.loads(pickle.dumps(client))
        assert type(copy) is type(client)
        assert (copy._url, copy._options) == (client._url, client._options)
        assert copy.new_id() != client.new_id()


def test_the_environment_says_where_to_ask(monkeypatch):
    """A gateway before a Redis; what is given wins; what is not ours is nobody's business."""
    for name in [name for name in os.environ if name.startswith("SCURRY_")]:
        monkeypatch.delenv(name)
    assert Client.from_env()._url == "redis://127.0.0.1:6379/0"
    monkeypatch.setenv("SCURRY_REDIS_URL", "redis://r:1/0")
    monkeypatch.setenv("SCURRY_NAMESPACE", "team")
    monkeypatch.setenv("SCURRY_OF_THE_FUTURE", "1")
    client = Client.from_env(retries=2)
    assert (client._url, client.keys.models, client._options["retries"]) == ("redis://r:1/0", "team:models", 2)
    monkeypatch.setenv("SCURRY_URL", "https://gateway")
    monkeypatch.setenv("SCURRY_API_KEY", "k")
    gateway = Client.from_env()
    assert type(gateway).__name__ == "HttpClient"
    assert gateway._options["api_key"] == "k"
    assert Client.from_env(url="redis://other:1/0")._url == "redis://other:1/0"


async def test_no_secret_is_shown(redis):
    """Neither of the URL nor the keys."""
    async with Client("redis://me:pa55@fake:1/0", api_key="k3y", admin_key="adm1n") as client:
        shown = f"{client!r}{client.registry!r}{client.streams!r}"
    assert not any(secret in shown for secret in ("pa55", "k3y", "adm1n"))


async def test_readiness_is_asked_of_the_job_or_read_of_a_model(client, redis, monkeypatch):
    """What nobody answers is not ready; what is not there neither."""
    redis.job = lambda fields: {"status": "error", "error": "model_not_found", "message": "No."}
    assert await client.live()
    assert await client.ready()
    redis.hashes[b"scurry:models"] = [b"m", b'{"versions": [{"version": "1", "state": "ready"}], "routes": {"1": 1}}']
    asked = [("m",), ("m", "1"), ("m", "2"), ("ghost",)]
    assert [await client.ready(*who) for who in asked] == [True, True, False, False]
    monkeypatch.setattr(readiness, "PROBE_S", 0.05)
    redis.job = lambda fields: None
    assert not await client.ready()
