"""What the audit stream tells, and that it tells enough."""

from __future__ import annotations

import json
import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.registry.course import BLANK, Course, ready, register, update
from tests.unit.registry.lives import random_event
from tests.unit.registry.test_rollout import counted

from scurry.client.rebuild import rebuild
from scurry.client.registry import Change
from scurry.registry import audit
from scurry.registry.audit import declared
from scurry.registry.steps import Audited
from scurry.wire.messages_pb2 import Audit, Drained, Loaded, LoadFailed, NextStep, Record, Update


def told(out: Course, event: Any, now: int = 1) -> list[Audit]:
    """What the stream is told of an event, as the function tells it."""
    before = out.record
    out.on(event)
    if isinstance(event, Update):
        noted = [effect for effect in out.effects if isinstance(effect, Audited)]
        return [audit.of_message(before, out.record, each.update, each.outcome, now) for each in noted]
    happened = audit.of_event(before, out.record, now)
    return [] if happened is None else [happened]


def change(entry: Audit, at: int) -> Change:
    """The entry as a client reads it back."""
    record = json.loads(entry.record) if entry.record else None
    update_ = json.loads(entry.update)
    return Change(f"{at}000-0", entry.model, entry.sequence, update_, entry.outcome, entry.number, record)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_the_rebuilt_registry_is_the_record(seed: int) -> None:
    """After any life, and as of any moment of it: what is rebuilt from the stream is what was declared then."""
    chance, out, events = random.Random(seed), Course(), []
    past: list[dict[str, Any]] = []
    for second in range(40):
        events += [change(entry, second) for entry in told(out, random_event(chance, out.record))]
        past.append(declared(out.record))
    for second, expected in enumerate(past):
        found = rebuild(events, until=second).get("m")
        assert (found or {"versions": []})["versions"] == expected["versions"]
        assert not expected["versions"] or found == expected
    numbers = [event.number for event in events if event.number]
    assert numbers == list(range(1, len(numbers) + 1)), "none is missing"


def test_the_number_that_was_chosen_is_told() -> None:
    """A registration that left its version out is audited with it."""
    (entry,) = told(ready("1", "2"), register(uri="c.onnx"))
    assert json.loads(entry.update)["register"] == {"uri": "c.onnx", "runtime": "onnx", "version": "3"}
    assert (entry.outcome, entry.at) == ("applied", 1)


def test_what_comes_about_by_itself_is_told() -> None:
    """Ready, failed with its code, draining by a policy, gone."""
    out = Course().on(register("1"))
    assert told(out, Loaded(version="1", lane=0, generation=1)) == [], "one lane is not all"
    (entry,) = told(out, Loaded(version="1", lane=1, generation=1))
    assert (json.loads(entry.update), entry.outcome) == ({"became": {"1": "ready"}}, "ok")
    out.on(register("2"))
    (entry,) = told(out, LoadFailed(version="2", generation=2, error="load_failed", message="no"))
    assert (json.loads(entry.update), entry.outcome) == ({"became": {"2": "failed"}}, "load_failed")
    out.on(update("unregister", version="1", force=True))
    (entry,) = told(out, Drained(version="1", generation=1))
    assert json.loads(entry.update) == {"became": {"1": "gone"}}


def test_each_step_of_a_rollout_is_told() -> None:
    """Where it stands and why, with the shares from then on: at its end too, when no share changes."""
    out = ready("1", "2").on(update("promote", version="1"))
    (begun,) = told(out, update("rollout", version="2", steps=[10, 100], hold_ms=1, max_disagreement=0.5))
    assert json.loads(begun.record)["rollout"]["state"] == "running"
    assert json.loads(begun.record)["shadow"] == {"2": {"percent": 10}}
    entries = []
    for step in range(2):
        out.on(counted(ok=100, compared=100, equal=100))
        entries += told(out, NextStep(number=out.record.rollout.number, step=step))
    assert [json.loads(entry.update)["rollout"] for entry in entries] == [
        {"version": "2", "state": "running", "step": 2, "percent": 100, "message": ""},
        {"version": "2", "state": "finished", "step": 2, "percent": 100, "message": "It has 100 % of the requests."},
    ]
    assert [entry.number for entry in entries] == [begun.number + 1, begun.number + 2]
    last = json.loads(entries[-1].record)
    assert (last["weights"], last["shadow"], last["rollout"]["state"]) == ({"2": 10_000}, {}, "finished")


def test_a_rollout_that_breaks_off_says_why() -> None:
    """The versions are what they were."""
    out = ready("1", "2").on(update("promote", version="1"), update("rollout", version="2", max_error_rate=0.1))
    (entry,) = told(out, counted(errors=50))
    happened = json.loads(entry.update)
    assert (happened["became"], happened["rollout"]["state"]) == ({}, "rolled_back")
    assert "50 of 50 requests failed" in happened["rollout"]["message"]


def test_a_shadow_is_declared() -> None:
    """When it begins, and when it ends."""
    out = ready("1", "2")
    (begun,) = told(out, update("shadow", version="1", percent=5))
    (ended,) = told(out, update("shadow"))
    assert [json.loads(each.record)["shadow"] for each in (begun, ended)] == [{"1": {"percent": 5}}, {}]
    assert ended.number == begun.number + 1


def test_a_refusal_changes_nothing_and_says_so() -> None:
    """No number, no record."""
    (entry,) = told(ready("1"), update("promote", version="9"))
    assert (entry.outcome, entry.number, entry.record) == ("version_not_found", 0, "")


def test_a_declaration_that_is_too_large_is_left_out() -> None:
    """The change itself is told; its number shows that something is missing."""
    record = Record(model="m", events=1)
    record.versions.add(version="1").spec.config = json.dumps({"x": "y" * audit.LARGEST})
    entry = audit.of_message(BLANK, record, update("rollback"), "applied", 1)
    assert (entry.number, entry.record) == (1, "")
