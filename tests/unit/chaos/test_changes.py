"""The mirror of the model that changes."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from tests.chaos.changes import Mirror
from tests.chaos.claims import Content

RECORD: dict[str, Any] = {
    "versions": [{"version": "1", "state": "ready"}, {"version": "2", "state": "ready"}],
    "routes": {"1": 30, "2": 70},
    "aliases": {"live": "1"},
}


@pytest.fixture
def mirror() -> Mirror:
    """What RECORD must look like."""
    content = Content("line", 1, 2)
    return Mirror({"1": content, "2": content}, {"1": 30, "2": 70}, {"1": 1}, "1")


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
    """The former ones; the same again change nothing."""
    mirror.route({"2": 1})
    mirror.route({"2": 1})
    assert (mirror.routes, mirror.former) == ({"2": 1}, {"1": 30, "2": 70})


def test_only_what_nothing_points_at_is_spare(mirror: Mirror) -> None:
    """Neither routes, nor former ones, nor the alias."""
    mirror.contents["3"] = Content("line", 3, 4)
    assert mirror.spare == ["3"]
