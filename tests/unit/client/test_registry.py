"""The registry from a caller's side."""

import pytest

from scurry.client import registry as module
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


async def test_the_history_of_a_model_is_read_from_the_end_of_everybodys(redis, monkeypatch):
    """Page by page, no further than so many changes were asked for."""
    monkeypatch.setattr(module, "PAGE", 3)
    for number in range(10):
        model, update = (b"m", b'{"promote":{"version":"%d"}}' % number) if number % 2 else (b"other", b"{}")
        flat = [b"model", model, b"sequence", b"%d" % number, b"update", update, b"outcome", b"ok"]
        redis.add(b"scurry:registry", flat)
    async with Client("redis://fake:1/0") as client:
        everything = await client.history("m")
        assert [one.sequence for one in everything] == [9, 7, 5, 3, 1]
        assert (everything[0].update, everything[0].outcome) == ({"promote": {"version": "9"}}, "ok")
        assert everything[0].when == 0.001
        before = len(redis.commands)
        assert await client.history("m", limit=3) == everything[:3]
        assert len(redis.commands) == before + 2
        assert await client.history("nobody") == []


@pytest.mark.parametrize(
    ("update", "read"),
    [(b'{"rollback":{}}', {"rollback": {}}), (b'{"reg', '{"reg'), (b"[1]", "[1]"), (b"\xff", "\ufffd")],
)
def test_a_change_that_is_no_json_is_shown_as_it_came(update, read):
    """It was refused, or was too long to be kept whole."""
    change = module.change_of(b"5000-0", [b"model", b"m", b"update", update])
    assert (change.update, change.sequence, change.when) == (read, 0, 5.0)


async def test_all_events_are_read_from_the_beginning(redis, monkeypatch):
    """Of all models, page by page, with what is declared since."""
    monkeypatch.setattr(module, "PAGE", 3)
    for number in range(7):
        flat = [b"model", b"m", b"sequence", b"1", b"number", b"%d" % number, b"record", b'{"versions":[]}']
        redis.add(b"scurry:registry", flat)
    async with Client("redis://fake:1/0") as client:
        events = await client.events()
    assert [one.number for one in events] == list(range(7))
    assert events[0].record == {"versions": []}
