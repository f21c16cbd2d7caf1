"""One record is read at most once a second; a name the view lacks is asked of the job."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from scurry.gateway import models as module
from scurry.gateway.models import Models
from scurry.wire.errors import NotFound, Unavailable, error


async def test_a_second_look_needs_no_second_reading(client: Any) -> None:
    """Metadata is asked for often and changes seldom; one record is read, not all."""
    models = Models(client)
    for _ in range(3):
        assert await models.record("m")
    assert (client.looks, client.record_looks) == (0, 1)
    assert repr(models) == "<Models 1 known>"


async def test_a_fresh_record_is_read_now_and_the_list_after_it(client: Any) -> None:
    """Whoever just changed a model sees it, in the list of all as well."""
    models = Models(client)
    await models.records()
    assert await models.record("m")
    client.records = {"m": client.records["m"] | {"epoch": 2}}
    assert "epoch" not in await models.record("m")
    assert (await models.record("m", fresh=True))["epoch"] == 2
    assert (await models.records())["m"]["epoch"] == 2
    assert client.looks == 2
    await models.record("m", fresh=True)
    await models.records()
    assert client.looks == 2


async def test_a_missing_name_is_looked_up_each_time(client: Any) -> None:
    """A model registered a moment ago is found."""
    models = Models(client)
    with pytest.raises(NotFound):
        await models.record("new")
    client.records = {**client.records, "new": {"versions": []}}
    assert await models.record("new") == {"versions": []}


async def test_those_who_look_at_the_same_time_share_one_reading(client: Any) -> None:
    """A crowd of pollers is one command, for one record as for all."""
    models = Models(client)
    await asyncio.gather(*(models.record("m") for _ in range(20)), *(models.records() for _ in range(20)))
    assert (client.looks, client.record_looks) == (1, 1)


async def test_a_failed_reading_is_told_and_repeated(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next caller reads anew."""
    models = Models(client)

    async def fail(*_: Any) -> None:
        raise Unavailable("unavailable", "Redis does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(client, "models", fail)
        patch.setattr(client, "record", fail)
        for look in (models.records, lambda: models.record("m")):
            with pytest.raises(Unavailable):
                await look()
    assert "m" in await models.records()
    assert await models.record("m")


async def test_an_emptied_redis_hides_no_model_that_serves(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was known is told again; what was not is to come, and no 404."""
    monkeypatch.setattr(module, "FRESH_S", -1.0)
    models = Models(client)
    known = await models.record("m")
    client.records, client.failure = {}, error("input_name", "Input 'x' is missing.")
    assert await models.record("m") is known
    with pytest.raises(Unavailable, match="being collected"):
        await models.record("other")
    assert [(model, len(request.inputs)) for model, request, _ in client.asked] == [("m", 0), ("other", 0)]


async def test_a_model_that_is_gone_is_forgotten(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The job's word counts, not what was known; a silent job says nothing."""
    monkeypatch.setattr(module, "FRESH_S", -1.0)
    models = Models(client)
    await models.record("m")
    client.records, client.failure = {}, error("deadline_exceeded", "No answer.")
    with pytest.raises(Unavailable):
        await models.record("m")
    client.failure = error("model_not_found", "No model m.")
    with pytest.raises(NotFound):
        await models.record("m")
    assert repr(models) == "<Models 0 known>"
