"""In memory or not: the steps."""

from __future__ import annotations

from tests.unit.registry.course import ready, register, update

from scurry.registry.shelving import is_pinned, lie_down, renew, rest
from scurry.registry.steps import AskLoad, AskUnload, Progress
from scurry.wire.messages_pb2 import DRAINING, LOADING, READY, REGISTERED


def test_rest_and_renew_are_a_round() -> None:
    """Ready, draining, registered, loading: the same registration under a new identity."""
    progress = Progress(ready("1").record)
    entry = progress.record.versions[0]
    identities = {entry.spec.identity}
    for _ in range(3):
        entry.state = READY
        rest(progress, entry, laid_down=True)
        assert (entry.state, entry.resting, entry.laid_down) == (DRAINING, True, True)
        lie_down(progress, entry, laid_down=entry.laid_down)
        assert entry.state == REGISTERED
        renew(progress, entry)
        assert (entry.state, entry.resting, entry.laid_down) == (LOADING, False, False)
        identities.add(entry.spec.identity)
    assert len(identities) == 4
    assert len([effect for effect in progress.effects if isinstance(effect, AskUnload)]) == 3
    assert len([effect for effect in progress.effects if isinstance(effect, AskLoad)]) == 6


def test_what_never_took_requests_lies_down_at_once() -> None:
    """There is nothing to wait for."""
    progress = Progress(ready("1").on(register("2")).record)
    rest(progress, progress.record.versions[1], laid_down=False)
    assert progress.record.versions[1].state == REGISTERED


def test_a_function_is_back_at_once() -> None:
    """Nothing of it is in memory here."""
    out = ready("1").on(register("f", "example/upper", runtime="function"), update("promote", version="1"))
    out.on(update("unload", version="f"), update("load", "l", version="f"))
    assert out.answers == [("l", "model_not_ready")], "it drains first"


def test_is_pinned() -> None:
    """Only a plain yes."""
    assert [is_pinned(config) for config in ("", "{}", '{"pinned": false}', '{"pinned": true}')] == [
        False, False, False, True,
    ]  # fmt: skip
