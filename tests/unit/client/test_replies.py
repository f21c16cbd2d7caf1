"""One loop that reads every reply."""

import asyncio

import pytest

from scurry.client import replies as module
from scurry.client.replies import Replies, after
from scurry.client.waiting import Waiting
from scurry.redis.address import Address


@pytest.fixture
async def replies(redis):
    """The loop over a stream of this client's."""
    waiting = Waiting(asyncio.get_running_loop(), TimeoutError)
    made = Replies(Address.parse("redis://fake:1/0"), "scurry:replies:me", waiting)
    await made.open()
    yield made
    await made.close()


async def test_a_read_that_is_refused_is_tried_again(replies, redis, monkeypatch):
    """The reply that came meanwhile is found."""
    monkeypatch.setattr(module, "RETRY_S", 0.0)
    future = replies._waiting.add("a", 5).future
    (transport,) = redis.links
    transport.blocked = None
    transport.answer(b"-WRONGTYPE Operation against a key\r\n")
    await asyncio.sleep(0)
    redis.reply({b"id": b"a", b"model": b"m", b"reply": b"scurry:replies:me"}, {"status": "ok"})
    assert (await asyncio.wait_for(future, 5))[b"status"] == b"ok"


async def test_a_reply_whose_id_is_no_text_disturbs_nobody(replies, redis):
    """The next one is read."""
    future = replies._waiting.add("a", 5).future
    redis.reply({b"id": b"\xff", b"model": b"m", b"reply": b"scurry:replies:me"}, {})
    redis.reply({b"id": b"a", b"model": b"m", b"reply": b"scurry:replies:me"}, {"status": "ok"})
    assert (await asyncio.wait_for(future, 5))[b"status"] == b"ok"
    assert repr(replies) == "<Replies scurry:replies:me read up to 1-2>"


async def test_the_entry_of_a_reply_is_told_to_who_traces(replies, redis):
    """And to nobody else."""
    found = []
    for stamps in (False, True):
        replies.stamps = stamps
        future = replies._waiting.add("a", 5).future
        redis.reply({b"id": b"a", b"model": b"m", b"reply": b"scurry:replies:me"}, {"status": "ok"})
        found.append((await asyncio.wait_for(future, 5)).get(b"entry"))
    assert found == [None, b"1-2"]


def test_the_next_entry_id_is_one_more():
    """What XTRIM must keep begins after what was read."""
    assert after(b"17-4") == b"17-5"
