"""Former routes: how far rollbacks go back."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.registry.course import Course, ready, update

from scurry.registry.former import MOST, depth
from scurry.registry.record import weights_of
from scurry.wire.messages_pb2 import Drained, Record, Update


def routes(out: Course) -> tuple[dict[str, int], dict[str, str]]:
    """Shares and aliases."""
    return weights_of(out.record), dict(out.record.aliases)


CHANGES = st.one_of(
    st.tuples(st.integers(0, 3), st.integers(0, 3)).filter(any).map(
        lambda pair: update("split", weights={"1": pair[0], "2": pair[1]})
    ),
    st.sampled_from("12").map(lambda version: update("promote", version=version)),
    st.tuples(st.sampled_from("ab"), st.sampled_from("12")).map(
        lambda pair: update("alias", alias=pair[0], version=pair[1])
    ),
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(CHANGES, max_size=12))
def test_rollbacks_undo_change_by_change(changes: list[Update]) -> None:
    """Whatever was changed, so many rollbacks as there were changes lead back to the start, through every step."""
    out = ready("1", "2")
    seen = [routes(out)]
    for change in changes:
        out.on(change)
        if routes(out) != seen[-1]:
            seen.append(routes(out))
    for expected in reversed(seen[:-1]):
        out.on(update("rollback"))
        assert routes(out) == expected


def test_no_more_than_fifty_are_kept() -> None:
    """The record stays small."""
    out = ready("1", "2")
    for number in range(120):
        out.on(update("promote", version=str(1 + number % 2)))
    assert depth(out.record) == MOST
    for _ in range(MOST):
        assert out.on(update("rollback", "u")).outcome in {"applied", "unchanged"}


def test_a_rollback_sent_twice_is_one() -> None:
    """By its id."""
    out = ready("1", "2").on(update("split", weights={"1": 1, "2": 1}), update("promote", version="1"))
    out.on(update("rollback", "u"), update("rollback", "u"))
    assert (weights_of(out.record), out.outcome, out.answers) == ({"1": 1, "2": 1}, "unchanged", [("u", "")])


def test_a_rollback_is_taken_back_by_saying_what_is_wanted() -> None:
    """That is a change, and the next rollback goes back from it."""
    out = ready("1", "2").on(update("rollback"), update("promote", version="2"))
    assert weights_of(out.on(update("rollback")).record) == {"1": 1}


def test_versions_that_are_gone_are_not_gone_back_to() -> None:
    """What is registered under their name later is another version."""
    out = ready("1", "2", "3").on(update("promote", version="1"), update("promote", version="3"))
    out.on(update("unregister", version="1"), Drained(version="1"))
    assert weights_of(out.on(update("rollback")).record) == {"2": 1}
    assert out.on(update("rollback", "u")).answers == [("u", "bad_request")]


def test_a_former_version_that_is_unloaded_is_named() -> None:
    """Rolling back past it in silence would lead to what nobody meant; once it is loaded it is gone back to."""
    out = ready("1", "2").on(update("unload", version="1"), Drained(version="1", generation=1))
    out.on(update("rollback", "u"))
    assert out.answers == [("u", "model_not_ready")]
    out.on(update("load", version="1")).load("1").on(update("rollback"))
    assert weights_of(out.record) == {"1": 1}


def test_what_an_earlier_registry_kept_is_gone_back_to() -> None:
    """One step, as it promised."""
    out = ready("1", "2")
    del out.record.former[:]
    out.record.previous["1"] = 3
    assert depth(out.record) == 1
    out.on(update("rollback", "u"))
    assert (weights_of(out.record), out.answers) == ({"1": 3}, [("u", "")])
    assert depth(out.record) == 0
    assert out.record.former == Record().former
