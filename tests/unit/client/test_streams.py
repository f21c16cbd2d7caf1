"""Requests out in piles, replies in, and what a lost Redis means."""

import asyncio

import pytest

from scurry.client.streams import Streams
from scurry.redis import dial as module
from scurry.wire.errors import InvalidRequest, Unavailable
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import SharedFolder, SharedPayloads

CLIENT = "0123456789ab"
OK = {"status": "ok", "version": "1", "reply": b"r"}


@pytest.fixture
async def streams(redis):
    """An open door to a fake Redis."""
    door = Streams("redis://fake:1/0", Keys(), "me")
    await door.open()
    yield door
    await door.close()


async def test_what_one_turn_sends_leaves_in_one_write(streams, redis):
    """Sixty-four requests are one write."""
    redis.job = lambda fields: OK
    before = len(redis.writes)
    futures = [streams.send(streams.requests("m"), ["model", "m"], f"id{n}", 5) for n in range(64)]
    await asyncio.gather(*futures)
    assert sum(b"XADD" in write for write in redis.writes[before:]) == 1
    assert redis.writes[before].count(b"XADD") == 64


async def test_a_request_names_its_id_and_reply_stream(streams, redis):
    """What the job needs to answer."""
    redis.job = lambda fields: OK
    await streams.send(streams.requests("m"), ["model", "m"], "one", 5)
    assert redis.entries("scurry:requests") == [{b"model": b"m", b"id": b"one", b"reply": b"scurry:replies:me"}]


async def test_parked_payloads_arrive_before_the_request(streams, redis):
    """With a day to live, in the same write."""
    redis.job = lambda fields: OK
    await streams.send(streams.requests("m"), ["model", "m"], "one", 5, [("scurry:payload:one:in:x", b"p" * 9000)])
    words = [command[0] for command in redis.commands]
    assert words.index(b"SET") < words.index(b"XADD")
    assert [b"EX", b"86400"] in [command[3:] for command in redis.commands if command[0] == b"SET"]
    assert redis.strings[b"scurry:payload:one:in:x"] == b"p" * 9000


@pytest.fixture
async def sharing(redis, tmp_path):
    """A door beside workers on its machine, what they read there, and their folder."""
    folder = SharedFolder(tmp_path / "shared")
    redis.strings[b"scurry:shared-payloads"] = f"{tmp_path / 'shared'} {folder.token}".encode()
    door = Streams("redis://fake:1/0", Keys(), "me", CLIENT)
    await door.open()
    yield door, SharedPayloads(str(tmp_path / "shared"))
    await door.close()
    folder.close()
    assert not (tmp_path / "shared").exists()


def payload(number):
    """An id, and what is parked under it."""
    request_id = f"{CLIENT}-{number}"
    return request_id, [(Keys().payload_in(request_id, "x"), b"p" * 9000)]


async def test_own_payloads_lie_in_shared_memory_until_the_answer(sharing, redis):
    """Redis gets the request alone; when it is answered nothing is left."""
    door, reader = sharing
    request_id, parked = payload(1)
    future = door.send(door.requests("m"), ["model", "m"], request_id, 5, parked, own=True)
    await asyncio.sleep(0)
    assert reader.read(parked[0][0]) == b"p" * 9000
    assert not any(command[0] == b"SET" for command in redis.commands)
    redis.reply(redis.entries("scurry:requests")[0], OK)
    await future
    await asyncio.sleep(0)
    assert reader.read(parked[0][0]) is None


async def test_a_request_that_nobody_waits_for_any_more_leaves_nothing(sharing):
    """Whether its time is over or its caller has gone."""
    door, reader = sharing
    late, gone = payload(2), payload(3)
    overdue = door.send(door.requests("m"), ["model", "m"], late[0], 0.01, late[1], own=True)
    cancelled = door.send(door.requests("m"), ["model", "m"], gone[0], 5, gone[1], own=True)
    cancelled.cancel()
    with pytest.raises(Unavailable):
        await overdue
    await asyncio.sleep(0)
    assert [reader.read(parked[0][0]) for _, parked in (late, gone)] == [None, None]


async def test_what_others_may_ask_for_is_parked_in_redis(sharing, redis):
    """A result that is kept outlives its caller, so its input does; and so does one with an id of somebody's own."""
    door, reader = sharing
    redis.job = lambda fields: OK
    request_id, parked = payload(4)
    await door.send(door.requests("m"), ["model", "m"], request_id, 5, parked)
    await door.send(door.requests("m"), ["model", "m"], "one", 5, [("scurry:payload:one:in:x", b"q" * 9000)], own=True)
    assert redis.strings[parked[0][0].encode()] == b"p" * 9000
    assert redis.strings[b"scurry:payload:one:in:x"] == b"q" * 9000
    assert reader.read(parked[0][0]) is None


async def test_what_was_read_is_trimmed_with_the_next_read(streams, redis):
    """One write trims and reads on; the stream is empty then."""
    redis.job = lambda fields: OK
    await streams.send(streams.requests("m"), ["model", "m"], "one", 5)
    await asyncio.sleep(0)
    assert any(b"XTRIM" in write and b"XREAD" in write for write in redis.writes)
    assert redis.entries("scurry:replies:me") == []


async def test_requests_go_to_the_partition_of_their_model(redis):
    """CRC-32 of the name, modulo the number that Redis holds."""
    redis.strings[b"scurry:partitions"] = b"4"
    redis.job = lambda fields: OK
    door = Streams("redis://fake:1/0", Keys(), "me")
    await door.open()
    await door.send(door.requests("digits"), ["model", "digits"], "one", 5)
    assert len(redis.entries(Keys().requests("digits", 4))) == 1
    await door.close()


async def test_a_repeated_id_is_sent_once_while_it_is_waited_for(streams, redis):
    """Both askers get the one answer."""
    first = streams.send(streams.requests("m"), ["model", "m"], "same", 5)
    second = streams.send(streams.requests("m"), ["model", "m"], "same", 5)
    await asyncio.sleep(0)
    redis.reply(redis.entries("scurry:requests")[0], OK)
    assert (await first) == (await second)
    assert len(redis.entries("scurry:requests")) == 1


async def test_another_body_under_an_id_that_is_waited_for_is_a_conflict(streams, redis):
    """Its sender would get the answer to somebody else's question; the first is not disturbed."""
    first = streams.send("s", ["model", "m", "request", b"one"], "same", 5)
    for other in (["model", "m", "request", b"two"], ["model", "n", "request", b"one"]):
        with pytest.raises(InvalidRequest) as conflict:
            streams.send("s", other, "same", 5)
        assert conflict.value.code == "id_conflict"
    with pytest.raises(InvalidRequest):
        streams.send("s", ["model", "m", "request", b"one"], "same", 5, [("k", b"parked")])
    again = streams.send("s", ["model", "m", "request", b"one"], "same", 5, options=["deadline", "9"])
    await asyncio.sleep(0)
    redis.reply(redis.entries("s")[0], OK)
    assert (await first) == (await again)
    assert len(redis.entries("s")) == 1


async def test_a_refused_entry_fails_its_future(streams, redis):
    """The sentence holds Redis' own words and the address."""
    redis.refuse = b"OOM command not allowed"
    with pytest.raises(Unavailable, match="fake:1 refused: OOM command not allowed"):
        await streams.send(streams.requests("m"), ["model", "m"], "one", 5)


async def test_unconfirmed_requests_are_sent_again_after_a_lost_connection(streams, redis, monkeypatch):
    """Whoever waits is answered after Redis is back; whoever gave up is not sent."""
    monkeypatch.setattr(module, "BACK_OFF_S", (0.0, 0.0))
    redis.deaf = True
    kept, given_up = (streams.send(streams.requests("m"), ["model", "m"], name, 5) for name in ("kept", "given up"))
    await asyncio.sleep(0)
    given_up.cancel()
    redis.deaf = False
    redis.job = lambda fields: OK
    redis.drop()
    assert (await kept)[b"status"] == b"ok"
    assert [entry[b"id"] for entry in redis.entries("scurry:requests")] == [b"kept"]


async def test_requests_made_while_redis_is_away_are_sent_when_it_is_back(streams, redis, monkeypatch):
    """Nobody has to notice the outage."""
    monkeypatch.setattr(module, "BACK_OFF_S", (0.0, 0.0))
    redis.job, redis.down = (lambda fields: OK), True
    redis.drop()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert "reconnecting" in repr(streams)
    future = streams.send(streams.requests("m"), ["model", "m"], "one", 5)
    redis.down = False
    assert (await future)[b"status"] == b"ok"
    assert "connected" in repr(streams)


async def test_while_redis_is_away_other_commands_fail_at_once(streams, redis):
    """And a request fails with `unavailable` when its time is over."""
    redis.down = True
    redis.drop()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="fake:1 cannot be reached"):
        await streams.command("PING")
    with pytest.raises(Unavailable) as caught:
        await streams.send(streams.requests("m"), ["model", "m"], "one", 0)
    assert caught.value.code == "unavailable"


async def test_without_an_answer_the_deadline_is_exceeded(streams):
    """Redis took the request, nobody answered it."""
    with pytest.raises(Unavailable) as caught:
        await streams.send(streams.requests("m"), ["model", "m"], "one", 0)
    assert caught.value.code == "deadline_exceeded"


async def test_closing_fails_who_waits_and_leaves_nothing_behind(redis):
    """The reply stream is removed."""
    door = Streams("redis://fake:1/0", Keys(), "me")
    await door.open()
    future = door.send(door.requests("m"), ["model", "m"], "one", 5)
    await door.close()
    assert "closed" in str(future.exception())
    assert redis.commands[-2] == [b"UNLINK", b"scurry:replies:me"]


async def test_opening_without_a_redis_says_so(redis):
    """One sentence with the address."""
    redis.down = True
    with pytest.raises(Unavailable, match="Redis at fake:1 cannot be reached: Connection refused"):
        await Streams("redis://fake:1/0", Keys(), "me").open()
