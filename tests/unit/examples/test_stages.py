"""What the example of waste says of a rollout."""

from __future__ import annotations

from examples.waste.ask import CAMERAS, Told
from examples.waste.images import WASTE
from examples.waste.stages import Stage, mistakes, rows


def told(number: int, version: str) -> Told:
    """An answer that is right."""
    return Told(number, version, WASTE[number % len(WASTE)], 0.01)


def test_a_rollout_as_it_should_be_has_no_mistakes() -> None:
    """A camera may move to version 2, and stay there."""
    first, then = Stage("first", [told(0, "1"), told(1, "1")]), Stage("then", [told(CAMERAS, "2"), told(1, "1")])
    assert mistakes([first, then, then]) == []


def test_a_camera_that_goes_back_is_told() -> None:
    """Another picture of the same camera, by the version before."""
    stages = [Stage("first", [told(0, "2")]), Stage("then", [told(CAMERAS, "1")])]
    assert mistakes(stages) == ["then: 1 cameras went back to version 1."]


def test_a_camera_between_two_versions_is_told() -> None:
    """Within one stage."""
    assert mistakes([Stage("only", [told(0, "1"), told(CAMERAS, "2")])]) == [
        "only: 1 cameras were answered by both versions."
    ]


def test_an_answer_of_a_strange_version_is_told() -> None:
    """Nobody registered it."""
    assert mistakes([Stage("only", [told(0, "3")])]) == ["only: an answer carries a version that nobody registered."]


def test_a_row_tells_shares_by_version() -> None:
    """A version that answered nothing has no share of right answers."""
    lines = rows([Stage("only", [told(0, "1"), Told(1, "1", "bottle", 0.03)])]).splitlines()
    assert lines[1].split() == ["only", "2", "2", "0", "50.0%", "50.0%", "20"]
