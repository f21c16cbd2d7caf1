"""The registry from a caller's side."""

import pytest

from scurry.client.client import Client
from scurry.client.registry import signature_of
from scurry.wire.messages_pb2 import Register, Update

RECORD = {
    "versions": [
        {"version": "1", "signature": {"inputs": [{"name": "a"}]}},
        {"version": "2", "signature": {"inputs": [{"name": "b"}]}},
        {"version": "3"},
    ],
    "aliases": {"old": "1"},
    "routes": {"1": 10, "2": 90},
}


@pytest.mark.parametrize(
    ("version", "name"), [("1", "a"), ("old", "a"), ("2", "b"), ("", "b"), ("3", ""), ("9", None)]
)
def test_the_signature_is_that_of_the_version_that_will_answer(version, name):
    """By name, by alias, or the one with most of the traffic."""
    signature = signature_of(RECORD, version)
    assert (None if signature is None else signature["inputs"][0]["name"] if signature else "") == name
    assert signature_of({}, "") is None


async def test_one_record_is_one_field(redis):
    """Nobody reads a thousand records for the sake of one."""
    redis.hashes[b"scurry:models"] = [b"m", b'{"routes": {"1": 1}}']
    async with Client("redis://fake:1/0") as client:
        assert await client.record("m") == {"routes": {"1": 1}}
        assert await client.record("other") is None
    assert [b"HGET", b"scurry:models", b"m"] in redis.commands
    assert not any(command[0] == b"HGETALL" for command in redis.commands)


@pytest.mark.parametrize(("separate", "stream"), [(False, "scurry:requests"), (True, "scurry:registry-in")])
async def test_registry_messages_have_a_stream_of_their_own_where_it_is_asked_for(redis, separate, stream):
    """Redis can then tell those who may write there from those who may not."""
    redis.job = lambda fields: {"status": "ok", "record": "{}"}
    async with Client("redis://fake:1/0", separate_registry=separate) as client:
        await client.update(Update(model="m", register=Register(uri="x")))
        await client.announce(Update(model="m", register=Register(uri="x")))
    assert [entry[b"kind"] for entry in redis.entries(stream)] == [b"registry"] * 2
