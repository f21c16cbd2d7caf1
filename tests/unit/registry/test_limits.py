"""Limits as they are read, checked and shown."""

from __future__ import annotations

import json

import pytest
from tests.unit.registry.course import update

from scurry.registry.limits import check, view
from scurry.registry.update import describe, read
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Limits, Record, TenantLimit, Update

ALL = {
    "max_queue_size": 7,
    "default_timeout_microseconds": 2_000_000,
    "max_timeout_microseconds": 30_000_000,
    "tenants": {"acme": {"rate": 0.5, "burst": 3}, "*": {"rate": 10}},
}


def test_what_is_read_is_shown_and_written_down() -> None:
    """In the verb's own words; a tenant without a burst has a second's worth."""
    told = read(update("limits", **ALL))
    shown = {**ALL, "tenants": {"*": {"rate": 10, "burst": 10}, "acme": {"rate": 0.5, "burst": 3}}}
    assert view(Record(limits=told.limits)) == shown
    assert json.loads(describe(told)) == {"limits": shown}
    assert read(Update(model="m", json=describe(told))).limits == told.limits
    assert view(Record()) == {}


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_queue_size": -1}, "limits.max_queue_size must be a whole number from 0"),
        ({"max_queue_size": 2**31}, "limits.max_queue_size may be at most"),
        ({"default_timeout_microseconds": "2s"}, "limits.default_timeout_microseconds must be a whole number"),
        ({"max_timeout_microseconds": 1.5}, "limits.max_timeout_microseconds must be a whole number"),
        ({"default_timeout_microseconds": 3, "max_timeout_microseconds": 2}, "is above limits.max_timeout"),
        ({"tenants": ["acme"]}, "limits.tenants must be an object"),
        ({"tenants": {"acme": 5}}, "limits.tenants.acme must be an object with rate and burst"),
        ({"tenants": {"acme": {"rate": 5, "bust": 2}}}, "limits.tenants.acme must be an object with rate and burst"),
        ({"tenants": {"acme": {"rate": "5"}}}, "limits.tenants.acme.rate must be a number"),
        ({"tenants": {"acme": {}}}, "limits.tenants.acme.rate must be above 0"),
        ({"tenants": {"acme": {"rate": -1}}}, "limits.tenants.acme.rate must be above 0"),
        ({"tenants": {"acme": {"rate": 1, "burst": 0.5}}}, "limits.tenants.acme.burst must be from 1"),
        ({"tenants": {"": {"rate": 1}}}, "is no name"),
        ({"tenants": {"a\nb": {"rate": 1}}}, "is no name"),
        ({"tenants": {"x" * 129: {"rate": 1}}}, "is no name"),
        ({"tenants": {str(n): {"rate": 1} for n in range(65)}}, "at most 64 names"),
        ({"size": 1}, "limits has no field 'size'; it has max_queue_size, default_timeout_microseconds"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(fields: dict[str, object], words: str) -> None:
    """The sentence names the field."""
    with pytest.raises(InvalidRequest) as raised:
        read(update("limits", **fields))
    assert raised.value.code == "bad_request"
    assert words in raised.value.message


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan"), float("inf"), 1e-300, 1e300])
def test_protobuf_is_checked_like_json(rate: float) -> None:
    """Also what JSON could not say."""
    with pytest.raises(InvalidRequest, match=r"a\.rate"):
        check(Limits(tenants={"a": TenantLimit(rate=rate)}))
    with pytest.raises(InvalidRequest, match=r"a\.burst"):
        check(Limits(tenants={"a": TenantLimit(rate=1, burst=rate or -1.0)}))
    with pytest.raises(InvalidRequest, match="max_timeout"):
        check(Limits(max_timeout_microseconds=-1))
