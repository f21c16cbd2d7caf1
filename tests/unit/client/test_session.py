"""A client's connection, opened in one process."""

import os

import pytest

from scurry.client import session
from scurry.client.client import Client
from scurry.client.session import Session


def test_a_client_that_is_not_open_says_so():
    """With the two ways to open it."""
    with pytest.raises(RuntimeError, match="async with Client"):
        _ = Session("redis://fake:1/0").streams


async def test_a_named_clients_ids_begin_with_its_name(redis):
    """So that Redis' ACLs can tell one team's results from another's; no two clients share an id all the same."""
    async with Client("redis://fake:1/0", name="team-7") as one, Client("redis://fake:1/0", name="team-7") as two:
        assert one.new_id().startswith("team-7-")
        assert len({one.new_id(), one.new_id(), two.new_id(), two.new_id()}) == 4


async def test_a_forked_process_is_told(redis, monkeypatch):
    """It would read the parent's replies; before the fork nothing is wrong."""
    async with Client("redis://fake:1/0") as client:
        await client.ping()
        with monkeypatch.context() as child:
            child.setattr(session.forks, "count", session.forks.count + 1)
            with pytest.raises(RuntimeError, match="forked from it"):
                await client.ping()
            with pytest.raises(RuntimeError, match="open a client here"):
                client.submit("m", b"")
        await client.ping()
        pid = os.fork()
        if not pid:
            told = False
            try:
                client.check_process()
            except RuntimeError:
                told = True
            finally:
                os._exit(0 if told else 1)  # whatever happens, the child runs no further tests
        assert os.waitpid(pid, 0)[1] == 0  # noqa: ASYNC222 - it ends at once


async def test_a_redis_that_does_not_answer_is_unavailable(redis, monkeypatch):
    """Within seconds, whatever was asked."""
    monkeypatch.setattr("scurry.client.session.COMMAND_S", 0.01)
    async with Client("redis://fake:1/0") as client:
        redis.deaf = True
        with pytest.raises(Exception, match="fake:1 does not answer"):
            await client.models()
