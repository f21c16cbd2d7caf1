"""The verbs `limits` and `lanes`, as changes to a record."""

from __future__ import annotations

import json

import pytest
from tests.unit.registry.course import Course, register, update

from scurry.registry.record import routes_of
from scurry.registry.views import view
from scurry.wire.messages_pb2 import Drained, TenantLimit

CONFIG = {
    "dynamic_batching": {
        "priority_levels": 3,
        "default_priority_level": 2,
        "default_queue_policy": {"max_queue_size": 9, "default_timeout_microseconds": 7},
    }
}


def test_limits_take_the_former_ones_place_as_a_whole() -> None:
    """They are in the routes and in the view; what is left out is as the config says again."""
    out = Course().on(register("1", config=CONFIG)).load()
    out.on(update("limits", "u", max_queue_size=5, max_timeout_microseconds=8, tenants={"a": {"rate": 2}}))
    routes = routes_of(out.record)
    assert (routes.max_timeout_microseconds, dict(routes.tenants)) == (8, {"a": TenantLimit(rate=2, burst=2)})
    (route,) = routes.versions
    assert (route.max_queue_size, route.default_timeout_microseconds) == (5, 7)
    assert (route.priority_levels, route.default_priority_level) == (3, 2)
    assert json.loads(view(out.record))["limits"]["max_queue_size"] == 5
    assert (out.answers, out.outcome, out.record.epoch) == ([("u", "")], "applied", routes.epoch)
    out.on(update("limits", default_timeout_microseconds=6))
    routes = routes_of(out.record)
    assert (routes.max_timeout_microseconds, dict(routes.tenants)) == (0, {})
    assert (routes.versions[0].max_queue_size, routes.versions[0].default_timeout_microseconds) == (9, 6)
    assert json.loads(view(out.on(update("limits")).record))["limits"] == {}


@pytest.mark.parametrize("verb", ["limits", "lanes"])
def test_a_model_that_is_not_there_has_none(verb: str) -> None:
    """It is refused, and a model that goes takes its own with it."""
    assert Course().on(update(verb, "u")).answers == [("u", "model_not_found")]
    out = Course().on(register("1")).load().on(update("limits", max_queue_size=1), update("lanes", min=2))
    assert out.record.HasField("limits")
    assert out.record.HasField("lanes")
    out.on(register("2"), update("unregister", force=True))
    out.on(*_drained(out))
    assert not out.record.versions
    assert not out.record.HasField("limits")
    assert not out.record.HasField("lanes")


def _drained(out: Course) -> list[Drained]:
    return [Drained(version=one.version, generation=one.spec.generation) for one in out.record.versions]
