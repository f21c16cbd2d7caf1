"""The mirror of the model that changes."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest
from tests.chaos.changes import Mirror
from tests.chaos.claims import Content
from tests.unit.registry.course import ready, update

from scurry.registry.steps import Audited
from scurry.registry.views import view
from scurry.wire.messages_pb2 import Drained

RECORD: dict[str, Any] = {
    "versions": [{"version": "1", "state": "ready"}, {"version": "2", "state": "ready"}],
    "routes": {"1": 30, "2": 70},
    "aliases": {"live": "1"},
}


@pytest.fixture
def mirror() -> Mirror:
    """What RECORD must look like."""
    content = Content("line", 1, 2)
    return Mirror({"1": content, "2": content}, {"1": 30, "2": 70}, [({"1": 1}, "1")], "1")


def test_the_record_that_was_made_is_right(mirror: Mirror) -> None:
    """A version that failed is nobody's business."""
    assert mirror.differs(RECORD) == ""
    assert mirror.differs(RECORD | {"versions": [*RECORD["versions"], {"version": "3", "state": "failed"}]}) == ""


@pytest.mark.parametrize(
    ("place", "value", "word"),
    [
        (("versions", 0, "state"), "draining", "versions"),
        (("versions", 0, "version"), "9", "versions"),
        (("routes", "1"), 31, "routes"),
        (("aliases", "live"), "2", "aliases"),
        (("aliases", "other"), "2", "aliases"),
    ],
)
def test_a_planted_difference_is_found(mirror: Mirror, place: tuple[Any, ...], value: object, word: str) -> None:
    """In any part of the record."""
    record = copy.deepcopy(RECORD)
    *path, last = place
    part: Any = record
    for step in path:
        part = part[step]
    part[last] = value
    assert mirror.differs(record).startswith(f"{word} are")


def test_a_model_that_is_gone_is_found(mirror: Mirror) -> None:
    """An empty record."""
    assert "versions are {}" in mirror.differs({})


def test_routes_are_remembered_for_a_rollback(mirror: Mirror) -> None:
    """One by one, with the alias; the same again change nothing, and what is gone is not gone back to."""
    mirror.route({"2": 1})
    mirror.route({"2": 1})
    mirror.point("2")
    assert mirror.former == [({"1": 1}, "1"), ({"1": 30, "2": 70}, "1"), ({"2": 1}, "1")]
    mirror.roll_back()
    assert (mirror.routes, mirror.alias, mirror.former_routes()) == ({"2": 1}, "1", ({"1": 30, "2": 70}, "1"))
    mirror.point("2")
    mirror.forget("1")
    assert mirror.former == [({"2": 70}, ""), ({"2": 1}, "")]


def test_the_mirror_goes_back_as_the_registry_does() -> None:
    """Whatever was changed before."""
    chance = random.Random(3)
    for _ in range(200):
        out, mirror = ready("1", "2", "3"), Mirror(dict.fromkeys("123", Content("line", 1, 2)), {"3": 1})
        mirror.former = [({"1": 1}, ""), ({"2": 1}, "")]
        for _ in range(30):
            version = chance.choice(sorted(mirror.contents))
            match chance.randrange(5):
                case 0:
                    out.on(update("promote", version=version))
                    mirror.route({version: 1})
                case 1:
                    weights = {name: chance.randrange(1, 9) for name in mirror.contents}
                    out.on(update("split", weights=weights))
                    mirror.route(weights)
                case 2:
                    out.on(update("alias", alias="live", version=version))
                    mirror.point(version)
                case 3 if mirror.spare:
                    out.on(update("unregister", version=mirror.spare[0]), Drained(version=mirror.spare[0]))
                    mirror.forget(mirror.spare[0])
                case 4 if mirror.former_routes():
                    out.on(update("rollback"))
                    mirror.roll_back()
            versions = [{"version": name, "state": "ready"} for name in mirror.contents]
            assert mirror.differs(json.loads(view(out.record)) | {"versions": versions}) == ""
            assert out.outcome in {"applied", "unchanged"} if out.of(Audited) else True


def test_only_what_nothing_points_at_is_spare(mirror: Mirror) -> None:
    """Neither routes nor the alias."""
    mirror.contents["3"] = Content("line", 3, 4)
    assert mirror.spare == ["3"]
