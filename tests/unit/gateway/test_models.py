"""The view is read at most once a second, but for a missing name at once."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.gateway.models import Models
from scurry.wire.errors import NotFound, Unavailable


async def test_a_second_look_needs_no_second_reading(client: Any) -> None:
    """Metadata is asked for often and changes seldom."""
    models = Models(client)
    for _ in range(3):
        assert await models.record("m")
    assert client.looks == 1
    assert repr(models) == "<Models 1 models>"


async def test_a_missing_name_is_looked_up_again(client: Any) -> None:
    """A model registered a moment ago is found."""
    models = Models(client)
    await models.records()
    with pytest.raises(NotFound):
        await models.record("new")
    client.records = {**client.records, "new": {"versions": []}}
    assert await models.record("new") == {"versions": []}


async def test_those_who_look_at_the_same_time_share_one_reading(client: Any) -> None:
    """A crowd of pollers is one HGETALL."""
    models = Models(client)
    await asyncio.gather(*(models.record("m") for _ in range(20)))
    assert client.looks == 1


async def test_a_failed_reading_is_told_and_repeated(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next caller reads anew."""
    models = Models(client)

    async def fail() -> None:
        raise Unavailable("unavailable", "Redis does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(client, "models", fail)
        with pytest.raises(Unavailable):
            await models.records()
    assert "m" in await models.records()
