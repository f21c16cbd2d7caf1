"""Registry messages as JSON: what is written is what the registry reads."""

from __future__ import annotations

import json

import pytest

from scurry.client.changes import change, change_json
from scurry.registry.update import read
from scurry.wire.messages_pb2 import (
    LaneRange,
    Limits,
    Pin,
    Policy,
    Register,
    Rollback,
    Rollout,
    Split,
    TenantLimit,
    Update,
)


def test_what_was_not_said_is_left_out() -> None:
    """None is no value."""
    update = change("m", "register", {"uri": "/m", "version": None, "config": {"threads": 2}})
    assert json.loads(update.json) == {"register": {"uri": "/m", "config": {"threads": 2}}}
    assert change_json(update) == update.json


@pytest.mark.parametrize(
    "update",
    [
        Update(model="m", register=Register(version="1", uri="/m.onnx", config='{"a": 1}', route=False)),
        Update(model="m", split=Split(weights={"1": 90, "2": 10})),
        Update(model="m", rollback=Rollback()),
        Update(model="m", pin=Pin(version="1", pinned=False)),
        Update(model="m", policy=Policy(latest=2)),
        Update(model="m", lanes=LaneRange(min=1, max=4)),
        Update(model="m", limits=Limits(max_timeout_microseconds=2**40, tenants={"a": TenantLimit(rate=5, burst=9)})),
        Update(model="m", rollout=Rollout(version="2", steps=[1, 100], hold_ms=600_000, min_requests=5)),
    ],
    ids=lambda update: update.WhichOneof("change"),
)
def test_a_message_and_its_json_say_the_same(update: Update) -> None:
    """Over HTTP the registry understands what it would over Redis."""
    through_http = Update(model="m", json=change_json(update))
    understood = read(through_http)
    understood.json = ""
    assert understood == read(update)
