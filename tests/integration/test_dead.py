"""Dead letters against a real Redis: seen, and sent again."""

from __future__ import annotations

import pytest
import redis.asyncio

from scurry.client import dead
from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.names import Keys


async def test_a_dead_letter_is_sent_again_under_a_new_id(redis_server):
    """Without what is stale: its id, reply stream, deadline and parked body, which goes inline."""
    async with redis.asyncio.from_url(redis_server.url) as server, Client(redis_server.url, namespace="dead") as client:
        await server.set("dead:payload:r:in:body", b' {"inputs":[]}')
        original = {"model": "m", "id": "r", "reply": "dead:replies:x", "deadline": "1", "key": "user"}
        parked = original | {"payload": "dead:payload:r:in:body", "encoding": "inputs"}
        fields = {f"field:{name}": value for name, value in parked.items()}
        entry = await server.xadd("dead:dead", {"cause": "worker_lost: gone", "attempts": "3"} | fields)
        await server.xadd("dead:dead", {"cause": "bad_request: what?", "attempts": "0", "field:x": "y"})
        broken, letter = await dead.newest(client, 10)
        assert (letter.cause, letter.attempts, letter.text("id")) == ("worker_lost: gone", 3, "r")
        request_id = await dead.redrive(client, letter)
        with pytest.raises(ScurryError, match="lacks a model"):
            await dead.redrive(client, broken)
        with pytest.raises(ScurryError, match="no dead letter"):
            await dead.find(client, entry.decode())
        sent = await server.execute_command("XRANGE", Keys("dead").requests("m"), "-", "+")
        words = [b"model", b"m", b"key", b"user", b"inputs", b' {"inputs":[]}', b"id", request_id.encode()]
        assert flat(sent[0][1]) == words


async def test_a_dead_record_of_a_cluster_serving_client_goes_again_with_its_place(redis_server):
    """Also when it was parked."""
    async with redis.asyncio.from_url(redis_server.url) as server, Client(redis_server.url, namespace="dcs") as client:
        await server.set("dcs:payload:r:in:body", b"QQ==")
        original = {"model": "m", "id": "r", "stream": "s", "uri": "u", "batched": "1"}
        parked = original | {"payload": "dcs:payload:r:in:body", "encoding": "data", "keep": "0"}
        fields = {f"field:{name}": value for name, value in parked.items()}
        await server.xadd("dcs:dead", {"cause": "worker_lost: gone", "attempts": "3"} | fields)
        (letter,) = await dead.newest(client, 1)
        request_id = await dead.redrive(client, letter)
        ((_, sent),) = await server.execute_command("XRANGE", Keys("dcs").requests("m"), "-", "+")
        words = flat(sent)
        assert dict(zip(words[::2], words[1::2], strict=True)) == {
            b"model": b"m", b"stream": b"s", b"uri": b"u", b"batched": b"1", b"data": b"QQ==",
            b"id": request_id.encode(),
        }  # fmt: skip


async def test_a_dead_letters_parked_inputs_go_along_under_the_new_id(redis_server):
    """A worker follows only keys of the request's own id; what is gone is said."""
    async with redis.asyncio.from_url(redis_server.url) as server, Client(redis_server.url, namespace="dds") as client:
        tensors = [Tensor(name="x", datatype="FP32", shape=[1], payload="dds:payload:r:in:x")]
        body = InferRequest(inputs=tensors).SerializeToString()
        head = {"cause": "c", "attempts": "3"}
        await server.xadd("dds:dead", head | {"field:id": "r", "field:model": "m", "field:request": body})
        (letter,) = await dead.newest(client, 1)
        with pytest.raises(ScurryError, match="'x', parked as dds:payload:r:in:x, is gone"):
            await dead.redrive(client, letter)
        await server.set("dds:payload:r:in:x", b"1234", ex=1000)
        request_id = await dead.redrive(client, letter)
        sent = await server.execute_command("XRANGE", Keys("dds").requests("m"), "-", "+")
        words = flat(sent[0][1])
        (tensor,) = InferRequest.FromString(words[words.index(b"request") + 1]).inputs
        assert tensor.payload == f"dds:payload:{request_id}:in:x"
        assert await server.get(tensor.payload) == b"1234"
        assert 0 < await server.ttl(tensor.payload) <= 1000


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"payload": "secret", "encoding": "inputs"}, "names secret, which is not its own"),
        ({"payload": "own:payload:r2:in:x", "encoding": "inputs"}, "not its own"),
        ({"payload": "own:payload:r:in:x"}, "does not say how its body is written"),
        ({"request": InferRequest(inputs=[Tensor(name="x", payload="secret")]).SerializeToString()}, "not its own"),
    ],
)
async def test_a_dead_letter_gets_nothing_that_is_not_its_own(redis_server, fields, says):
    """It holds what a stranger wrote: neither a foreign key nor a guess at an encoding is followed."""
    async with redis.asyncio.from_url(redis_server.url) as server, Client(redis_server.url, namespace="own") as client:
        await server.mset({"secret": b"s", "own:payload:r:in:x": b"\x0a{"})
        named = {f"field:{name}": value for name, value in (fields | {"model": "m", "id": "r"}).items()}
        await server.xadd("own:dead", {"cause": "c", "attempts": "3"} | named)
        (letter,) = await dead.newest(client, 1)
        with pytest.raises(ScurryError, match=says):
            await dead.redrive(client, letter)
        assert await server.xlen(Keys("own").requests("m")) == 0


def flat(fields: dict[bytes, bytes] | list[bytes]) -> list[bytes]:
    """Fields of an entry in a row, whichever way redis-py hands them out."""
    return [word for pair in fields.items() for word in pair] if isinstance(fields, dict) else fields
