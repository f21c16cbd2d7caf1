"""Shares and aliases at once."""

from __future__ import annotations

import pytest
from tests.unit.registry.course import Course, ready, register, update

from scurry.registry.record import weights_of


def test_shares_and_aliases_change_in_one_epoch() -> None:
    """The router sees all of it or none."""
    out = ready("1", "2", "3").on(update("alias", alias="old", version="2"))
    epoch = out.record.epoch
    out.on(update("routes", "u", weights={"1": 9, "old": 1}, aliases={"new": "3", "old": ""}))
    assert (weights_of(out.record), dict(out.record.aliases)) == ({"1": 9, "2": 1}, {"new": "3"})
    assert (out.record.epoch, out.answers) == (epoch + 1, [("u", "")])


def test_aliases_are_swapped_at_once() -> None:
    """Each is read as it stood before the message."""
    out = ready("1", "2").on(update("routes", aliases={"blue": "1", "green": "2"}))
    out.on(update("routes", aliases={"blue": "green", "green": "blue"}))
    assert dict(out.record.aliases) == {"blue": "2", "green": "1"}


def test_what_is_not_named_stays() -> None:
    """Aliases alone leave the split, shares alone the aliases."""
    out = ready("1", "2").on(update("split", weights={"1": 1}), update("routes", aliases={"a": "1"}))
    assert weights_of(out.record) == {"1": 1}
    out.on(update("routes", weights={"2": 1}))
    assert (weights_of(out.record), dict(out.record.aliases)) == ({"2": 1}, {"a": "1"})


def test_automatic_ends_a_split() -> None:
    """The newest ready version takes all again."""
    out = ready("1", "2").on(update("split", weights={"1": 1}), update("routes", automatic=True))
    assert weights_of(out.record) == {"2": 1}
    assert weights_of(out.on(register("3")).load("3").record) == {"3": 1}


def test_a_version_without_a_route_waits_for_a_share() -> None:
    """It is ready and can be asked by name; a split, a promotion or `routed` gives it requests."""
    for given in (update("promote", version="2"), update("routes", routed=["2"])):
        out = ready("1").on(register("2", route=False)).load("2")
        assert weights_of(out.record) == {"1": 1}
        assert weights_of(out.on(given).record) == {"2": 1}
    alone = Course().on(register("1", route=False)).load("1")
    assert weights_of(alone.record) == {}


def test_a_share_makes_a_version_like_others() -> None:
    """Once it had one it may take all, when the others go."""
    out = ready("1").on(register("2", route=False)).load("2").on(update("promote", version="2"))
    out.on(update("routes", automatic=True))
    assert weights_of(out.record) == {"2": 1}


def test_registered_again_it_keeps_or_gets_its_route() -> None:
    """`route: false` takes nothing from a version that has one; without it a version is like others."""
    out = ready("1", "2").on(register("2", route=False)).load("2")
    assert weights_of(out.record) == {"2": 1}
    out = ready("1").on(register("2", route=False)).load("2").on(register("2")).load("2")
    assert weights_of(out.record) == {"2": 1}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "bad_request"),
        ({"weights": {"1": 1}, "automatic": True}, "bad_request"),
        ({"weights": {"1": 0}}, "bad_request"),
        ({"weights": {"9": 1}}, "version_not_found"),
        ({"aliases": {"a": "9"}}, "version_not_found"),
        ({"aliases": {"a/b": "1"}}, "bad_request"),
        ({"aliases": {"1": "2"}}, "bad_request"),
        ({"weights": {"1": 1}, "aliases": {"gone": ""}}, "version_not_found"),
        ({"routed": ["9"]}, "version_not_found"),
    ],
)
def test_one_part_that_is_refused_refuses_all(fields: dict[str, object], code: str) -> None:
    """The record is as it was."""
    out = ready("1", "2")
    before = out.record
    assert out.on(update("routes", "u", **fields)).answers == [("u", code)]
    assert out.record is before
