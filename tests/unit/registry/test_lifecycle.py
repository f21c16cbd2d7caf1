"""What becomes of a model's record, event by event."""

from __future__ import annotations

import random

from tests.unit.registry.course import Course, ready, register, update
from tests.unit.registry.lives import random_event

from scurry.registry import lifecycle
from scurry.registry.lifecycle import Event, LoadLost
from scurry.registry.record import routes_of, takes_requests, weights_of
from scurry.registry.steps import Answer, AskLoad, AskUnload, RemindLater
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    Loaded,
    LoadFailed,
    Loading,
    Remind,
    Update,
)


def test_answers_of_an_earlier_generation_are_ignored() -> None:
    """A late Loaded or LoadFailed does not decide over the present spec."""
    out = Course().on(register("1"), register("1", "b.onnx"))
    late: list[Event] = [
        Loaded(version="1", lane=0, generation=1), Loaded(version="1", lane=1, generation=1),
        LoadFailed(version="1", generation=1), Remind(version="1", generation=1, attempt=1),
        LoadLost("1", 1, True, "", out.record.versions[0].spec.identity),
    ]  # fmt: skip
    before = out.record
    for event in late:
        assert out.on(event).record == before
        unload = [AskUnload("1", 1, event.identity)] if isinstance(event, Loaded) else []
        assert out.effects == unload, "a worker that was late holds what nobody wants"


def test_reminders_ask_the_lanes_that_are_missing() -> None:
    """With growing pauses, until ten minutes have passed."""
    out = Course().on(
        register("1", token="u"), Loaded(version="1", lane=1, generation=1), Loading(version="1", generation=1)
    )
    asked, attempt = 0, 1
    while out.state() == LOADING:
        out.on(Remind(version="1", generation=1, attempt=attempt))
        attempt += 1
        if out.state() == LOADING:
            asked += 1
            assert out.of(AskLoad) == [AskLoad("1", 0)]
            assert out.of(RemindLater) == [RemindLater("1", 1, attempt)]
    assert out.answers == [("u", "load_failed")]
    assert out.state() == FAILED
    assert 600_000 <= lifecycle.waited_ms(attempt - 1) < 611_000
    assert 50 < asked < 80


def test_pauses_grow_from_one_second_to_ten() -> None:
    """1 s, 1.5 s, … 10 s."""
    pauses = [lifecycle.pause_ms(attempt) for attempt in range(1, 12)]
    assert pauses[:3] == [1_000, 1_500, 2_250]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10_000


def test_losses_while_loading() -> None:
    """A worker that was merely away does not count; one that is lost again and again while loading does."""
    out = Course().on(register("1", token="u"))
    mine = out.record.versions[0].spec.identity
    for _ in range(50):
        out.on(LoadLost("1", 1, False, "connection refused", mine))
    assert out.state() == LOADING
    for _ in range(lifecycle.LOSSES):
        assert out.state() == LOADING
        out.on(LoadLost("1", 1, True, "Worker w is gone.", mine))
    assert (out.state(), out.answers) == (FAILED, [("u", "load_failed")])
    assert out.record.versions[0].error == "worker_lost"


def test_the_newest_ready_version_is_the_default() -> None:
    """Until somebody says otherwise; a version registered under an explicit split takes nothing."""
    out = ready("1", "2")
    assert weights_of(out.record) == {"2": 1}
    out.on(register("3"))
    assert weights_of(out.record) == {"2": 1}
    assert weights_of(out.load("3").record) == {"3": 1}
    out.on(update("promote", version="1"), register("4")).load("4")
    assert weights_of(out.record) == {"1": 1}
    assert weights_of(out.on(update("unregister", version="1", force=True)).record) == {"4": 1}


def test_a_change_without_effect_on_routes_keeps_the_epoch() -> None:
    """The router is told of changes only."""
    out = ready("1").on(update("promote", version="1"))
    epoch = out.record.epoch
    assert out.on(update("promote", version="1")).record.epoch == epoch


def test_whatever_happens_the_record_makes_sense() -> None:
    """Random lives: shares only for able versions, no alias to nowhere, each message answered exactly once."""
    chance = random.Random(11)
    for _ in range(60):
        out, asked, answered = Course(), [], []
        for _ in range(60):
            event = random_event(chance, out.record)
            epoch, routes = out.record.epoch, routes_of(out.record)
            out.on(event)
            if isinstance(event, Update):
                asked.append(event.id)
            answered += [effect.update.id for effect in out.effects if isinstance(effect, Answer)]
            record = out.record
            names = [entry.version for entry in record.versions]
            able = {entry.version for entry in record.versions if takes_requests(entry)}
            assert len(names) == len(set(names))
            assert set(weights_of(record)) <= able
            routed = {entry.version for entry in record.versions if not entry.unrouted}
            assert bool(weights_of(record)) >= bool(able & routed)
            assert set(record.aliases.values()) <= set(names)
            assert all(set(former.weights) <= set(names) for former in record.former)
            assert record.epoch >= epoch
            now = routes_of(record)
            now.epoch = routes.epoch
            assert (record.epoch == epoch) == (now == routes)
            waiting = [u.id for entry in record.versions for u in entry.waiting]
            assert sorted(answered + waiting) == sorted(asked)
            for entry in record.versions:
                assert bool(entry.waiting) <= (entry.state in (LOADING, DRAINING))


BROKEN = {"error": "model_failed", "message": "It broke; register it again."}


def test_a_ready_version_that_broke_is_failed() -> None:
    """With the sentence, without routes, unloaded everywhere; the explicit split goes on with the others."""
    out = ready("1", "2").on(update("split", weights={"1": 1, "2": 1}))
    identity, epoch = out.record.versions[0].spec.identity, out.record.epoch
    out.on(LoadFailed(version="1", generation=1, identity=identity, **BROKEN))
    entry = out.record.versions[0]
    assert (entry.state, entry.message, out.record.epoch) == (FAILED, BROKEN["message"], epoch + 1)
    routes = routes_of(out.record)
    assert ([(each.version, each.weight) for each in routes.versions], list(routes.failed)) == ([("2", 1)], ["1"])
    assert list(out.effects) == [AskUnload("1", 1, identity)]
    assert out.on(register("1")).load("1").state("1") == READY


def test_only_its_own_report_breaks_a_ready_version() -> None:
    """Another registration's does not, nor a load that failed late on some worker."""
    out = ready("1")
    identity, before = out.record.versions[0].spec.identity, out.record
    for late in (
        LoadFailed(version="1", generation=1, identity="other", **BROKEN),
        LoadFailed(version="1", generation=9, identity=identity, **BROKEN),
        LoadFailed(version="2", generation=1, identity=identity, **BROKEN),
        LoadFailed(version="1", generation=1, identity=identity, error="load_failed", message="late"),
    ):
        assert out.on(late).record == before
        assert out.effects == []


def test_a_former_spec_that_broke_waits_for_its_replacement() -> None:
    """It takes no more requests; they wait for what is loading, and its failure is the version's."""
    out = ready("1")
    identity = out.record.versions[0].spec.identity
    out.on(register("1", "b.onnx"), LoadFailed(version="1", generation=1, identity=identity, **BROKEN))
    routes = routes_of(out.record)
    assert (list(routes.versions), list(routes.pending)) == ([], ["1"])
    assert list(out.effects) == [AskUnload("1", 1, identity)]
    assert out.on(LoadFailed(version="1", generation=2, error="load_failed")).state("1") == FAILED
