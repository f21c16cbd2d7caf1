"""The registry as the audit stream tells it, now or as of a past time.

An entry that changed something holds all that is declared of its model since, so the newest one of a model up to a time
is the model as it was then. That holds as far back as the stream goes: a model that none of its entries tells of has
not changed since the oldest of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from scurry.client.registry import Change

Records = dict[str, Mapping[str, Any]]


def rebuild(
    events: Iterable[Change], until: float | None = None, present: Mapping[str, Mapping[str, Any]] | None = None
) -> Records:
    """Every model's record, from events in the order of the stream, as of `until` (epoch seconds).

    `present` is the registry's view: of it come models that no event tells of.
    """
    found: Records = {}
    told: set[str] = set()
    for event in events:
        if event.number:  # a refusal changed nothing
            told.add(event.model)
        if event.record is not None and (until is None or event.when <= until):
            found[event.model] = event.record
    silent = {name: record for name, record in (present or {}).items() if name not in told}
    return {name: record for name, record in {**silent, **found}.items() if record.get("versions")}


def untold(events: Iterable[Change], until: float) -> list[str]:
    """Models of which nobody can say what they were then: what is kept of them begins later, and not at their start."""
    first: dict[str, Change] = {}
    for event in events:
        if event.record is not None:
            first.setdefault(event.model, event)
    return sorted(name for name, event in first.items() if event.when > until and event.number > 1)
