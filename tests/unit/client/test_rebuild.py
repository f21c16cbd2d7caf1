"""The registry from its events."""

from __future__ import annotations

from typing import Any

from scurry.client.rebuild import rebuild, untold
from scurry.client.registry import Change


def event(second: int, model: str, number: int = 0, versions: str | None = None) -> Change:
    """One entry; with the versions that are declared since."""
    record: dict[str, Any] | None = None
    if versions is not None:
        record = {"model": model, "versions": [{"version": each} for each in versions]}
    return Change(f"{second}000-0", model, number, {}, "applied" if number else "bad_request", number, record)


EVENTS = [event(1, "a", 1, "1"), event(2, "b", 7, "1"), event(3, "a", 2, "12"), event(4, "a"), event(5, "a", 3, "")]


def names(records: Any) -> dict[str, str]:
    """Versions by model."""
    return {name: "".join(one["version"] for one in record["versions"]) for name, record in records.items()}


def test_the_newest_entry_is_the_record() -> None:
    """A model without versions is gone; a refusal changes nothing."""
    assert names(rebuild(EVENTS)) == {"b": "1"}
    assert names(rebuild(EVENTS, until=4)) == {"a": "12", "b": "1"}
    assert names(rebuild(EVENTS, until=1)) == {"a": "1"}
    assert names(rebuild(EVENTS, until=0.9)) == {}


def test_entries_that_came_twice_change_nothing() -> None:
    """A job that resumes tells again what it told since its checkpoint."""
    again = [*EVENTS[:3], event(6, "b", 7, "1"), event(7, "a", 2, "12")]
    assert names(rebuild(again)) == {"a": "12", "b": "1"}


def test_models_of_which_nothing_is_told_are_as_they_are() -> None:
    """They have not changed since the oldest entry; of those that are told of, only the events count."""
    present = {"old": {"versions": [{"version": "9"}]}, "a": {"versions": [{"version": "3"}]}}
    assert names(rebuild(EVENTS, 2, present)) == {"a": "1", "b": "1", "old": "9"}


def test_a_refusal_tells_nothing_of_a_model() -> None:
    """Its registration may have left the stream: it is as it is."""
    present = {"old": {"versions": [{"version": "9"}]}}
    assert names(rebuild([*EVENTS, event(6, "old")], 2, present)) == {"a": "1", "b": "1", "old": "9"}


def test_what_was_trimmed_is_owned_up_to() -> None:
    """A model whose first entry is not its first was something before, and nobody knows what."""
    assert untold(EVENTS, 1) == ["b"]
    assert untold(EVENTS, 2) == []
    assert untold(EVENTS, 0) == ["b"], "a was made by its first"
