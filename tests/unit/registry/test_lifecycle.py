"""What becomes of a model's record."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Sequence

import pytest

from scurry.registry import lifecycle
from scurry.registry.lifecycle import Event, LoadLost, advance
from scurry.registry.record import find, routes_of, takes_requests, weights_of
from scurry.registry.steps import Answer, AskLoad, AskUnload, Audited, Effect, RemindLater
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    Drained,
    Loaded,
    LoadFailed,
    Loading,
    Record,
    Remind,
    Update,
    VersionState,
)

BLANK = Record(model="m")


def update(verb: str, token: str = "", **fields: object) -> Update:
    """A registry message."""
    return Update(model="m", id=token, json=json.dumps({verb: fields}))


def register(version: str = "", uri: str = "a.onnx", token: str = "", **fields: object) -> Update:
    """A registration."""
    return update("register", token, uri=uri, **({"version": version} if version else {}), **fields)


class Course:
    """A record on its way, with the effects of the last step."""

    def __init__(self) -> None:
        self.record = BLANK
        self.effects: Sequence[Effect] = ()

    def on(self, *events: Event) -> Course:
        """Let events happen."""
        for event in events:
            before = Record()
            before.CopyFrom(self.record)
            record, self.effects = advance(self.record, event, 1)
            assert self.record == before, "advance leaves its argument alone"
            self.record = record
        return self

    def load(self, version: str = "1") -> Course:
        """Both lanes have loaded it."""
        entry = find(self.record, version)
        assert entry is not None
        generation = entry.spec.generation
        return self.on(*(Loaded(version=version, lane=lane, generation=generation) for lane in (0, 1)))

    def state(self, version: str = "1") -> VersionState | None:
        """Where a version stands; None when it is gone."""
        entry = find(self.record, version)
        return entry.state if entry else None

    def of(self, kind: type) -> list[Effect]:
        """The last step's effects of one kind."""
        return [effect for effect in self.effects if isinstance(effect, kind)]

    @property
    def answers(self) -> list[tuple[str, str]]:
        """(id, code) of the last step's replies."""
        return [(e.update.id, e.code) for e in self.effects if isinstance(e, Answer)]

    @property
    def outcome(self) -> str:
        """What the audit says of the last step."""
        (audited,) = self.of(Audited)
        assert isinstance(audited, Audited)
        return audited.outcome


def ready(*versions: str) -> Course:
    """These versions, loaded."""
    out = Course()
    for version in versions:
        out.on(register(version, f"{version}.onnx")).load(version)
    return out


def test_register_asks_both_lanes_to_load() -> None:
    """It is pending, answered later, and there will be a reminder."""
    out = Course().on(register("1", token="u"))
    assert out.state() == LOADING
    assert out.of(AskLoad) == [AskLoad("1", 0), AskLoad("1", 1)]
    assert out.of(RemindLater) == [RemindLater("1", 1, 1)]
    assert (out.answers, out.outcome) == ([], "applied")
    assert list(routes_of(out.record).pending) == ["1"]
    assert out.record.epoch == 1


def test_ready_when_both_lanes_have_loaded() -> None:
    """One lane twice is not enough; then the registrar hears and the routes change."""
    out = Course().on(register("1", token="u"))
    for _ in range(2):
        out.on(Loaded(version="1", lane=0, generation=1, max_batch_size=8, runtime="onnx", bytes=5, device="CPU"))
        assert (out.state(), out.answers) == (LOADING, [])
    out.on(Loaded(version="1", lane=1, generation=1, max_batch_size=8, runtime="onnx", bytes=5, device="CPU"))
    assert (out.state(), out.answers) == (READY, [("u", "")])
    entry = out.record.versions[0]
    assert (entry.spec.max_batch_size, entry.spec.runtime, entry.bytes, entry.device) == (8, "onnx", 5, "CPU")
    assert out.record.epoch == 2
    out.load()
    assert out.effects == []
    assert out.record.epoch == 2


@pytest.mark.parametrize(("names", "expected"), [((), "1"), (("1",), "2"), (("1", "9", "v3"), "10"), (("beta",), "1")])
def test_a_version_left_out_is_one_more_than_the_largest(names: tuple[str, ...], expected: str) -> None:
    """Names that are no numbers do not count."""
    out = ready(*names).on(register("", "new.onnx"))
    assert out.record.versions[-1].version == expected


def test_the_same_message_twice_makes_one_version() -> None:
    """A client that sends again does not register again."""
    out = Course().on(register(token="u")).load().on(register(token="u"))
    assert [entry.version for entry in out.record.versions] == ["1"]
    assert (out.outcome, out.answers) == ("unchanged", [("u", "")])


@pytest.mark.parametrize(
    "again", [register("1", token="w"), register("1", token="w", runtime="onnx"), register("1", token="w", config={})]
)
def test_the_same_spec_again(again: Update) -> None:
    """Ready: answered at once. Loading: waits along. Neither loads anew."""
    out = ready("1")
    assert out.on(register("1", "1.onnx", token="w")).answers == [("w", "")]
    assert not out.of(AskLoad)
    out = Course().on(register("1", token="u"), again)
    assert (out.answers, out.of(AskLoad), out.outcome) == ([], [], "unchanged")
    assert out.load().answers == [("u", ""), ("w", "")]


def test_a_failed_version_may_be_registered_again() -> None:
    """The same spec is tried again with a generation of its own."""
    out = Course().on(
        register("1", token="u"), LoadFailed(version="1", generation=1, error="not_allowed", message="no")
    )
    entry = out.record.versions[0]
    assert (entry.state, entry.error, entry.message) == (FAILED, "not_allowed", "no")
    assert out.answers == [("u", "load_failed")]
    out.on(register("1", token="w"))
    entry = out.record.versions[0]
    assert (entry.state, entry.spec.generation, entry.message) == (LOADING, 2, "")
    assert out.load().answers == [("w", "")]


def test_answers_of_an_earlier_generation_are_ignored() -> None:
    """A late Loaded or LoadFailed does not decide over the present spec."""
    out = Course().on(register("1"), register("1", "b.onnx"))
    late: list[Event] = [
        Loaded(version="1", lane=0, generation=1), Loaded(version="1", lane=1, generation=1),
        LoadFailed(version="1", generation=1), Remind(version="1", generation=1, attempt=1),
        LoadLost("1", 1, True, ""),
    ]  # fmt: skip
    before = out.record
    assert out.on(*late).record == before
    assert out.effects == []


def test_replaced_before_it_was_loaded() -> None:
    """Who waited for the first spec hears that it lost."""
    out = Course().on(register("1", token="u"), register("1", "b.onnx", token="w"))
    assert out.answers == [("u", "load_failed")]
    assert out.load().answers == [("w", "")]


def test_a_ready_version_serves_on_while_a_changed_spec_loads() -> None:
    """The route keeps the former spec until the new one is loaded; then the former one is unloaded, after a while."""
    out = ready("1").on(register("1", "b.onnx", token="w"))
    assert routes_of(out.record).versions[0].spec.uri == "1.onnx"
    assert out.answers == []
    out.load()
    assert routes_of(out.record).versions[0].spec.uri == "b.onnx"
    assert out.of(AskUnload) == [AskUnload("1", 1, 60_000)]
    assert out.answers == [("w", "")]


def test_a_spec_changed_twice_still_serves_the_one_that_was_loaded() -> None:
    """The second spec, never loaded, does not take the place of the first."""
    out = ready("1").on(register("1", "b.onnx"), register("1", "c.onnx"))
    assert routes_of(out.record).versions[0].spec.uri == "1.onnx"
    assert routes_of(out.load().record).versions[0].spec.uri == "c.onnx"


def test_a_changed_spec_that_fails_leaves_the_former_one() -> None:
    """The version stays ready; the reason is on record."""
    out = ready("1").on(register("1", "b.onnx", token="w"), LoadFailed(version="1", generation=2, message="broken"))
    assert out.answers == [("w", "load_failed")]
    assert (out.state(), routes_of(out.record).versions[0].spec.uri) == (READY, "1.onnx")
    assert "broken" in out.record.versions[0].message


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
    for _ in range(50):
        out.on(LoadLost("1", 1, False, "connection refused"))
    assert out.state() == LOADING
    for _ in range(lifecycle.LOSSES):
        assert out.state() == LOADING
        out.on(LoadLost("1", 1, True, "Worker w is gone."))
    assert (out.state(), out.answers) == (FAILED, [("u", "load_failed")])
    assert out.record.versions[0].error == "worker_lost"


def test_a_function_is_ready_at_once() -> None:
    """Nothing is loaded, and nothing unloaded when it goes."""
    out = Course().on(register("1", "example/upper", token="u", runtime="function"))
    assert (out.state(), out.answers) == (READY, [("u", "")])
    assert not out.of(AskLoad)
    assert routes_of(out.record).versions[0].function == "example/upper"
    out.on(update("unregister", "w"), Drained(version="1", generation=1))
    assert (out.answers, out.of(AskUnload)) == ([("w", "")], [])


def test_unregister_drains_then_drops() -> None:
    """The reply waits for the router; aliases and weights go at once."""
    out = ready("1", "2").on(update("alias", alias="a", version="1"), update("split", weights={"1": 1, "2": 1}))
    out.on(update("unregister", "u", version="a"))
    assert (out.state(), out.answers) == (DRAINING, [])
    assert (dict(out.record.aliases), weights_of(out.record)) == ({}, {"2": 1})
    out.on(Drained(version="1", generation=9))
    assert out.state() == DRAINING
    out.on(Drained(version="1", generation=1))
    assert (out.state(), out.answers) == (None, [("u", "")])
    assert out.of(AskUnload) == [AskUnload("1", out.record.sequence)]


def test_a_version_that_comes_back_has_lost_its_share() -> None:
    """The split it was part of ended for it when it was unregistered."""
    out = ready("1", "2").on(update("split", weights={"1": 1, "2": 1}), update("unregister", version="1"))
    out.on(Drained(version="1"), register("1", "1.onnx")).load("1")
    assert weights_of(out.record) == {"2": 1}


def test_unregister_again_while_draining_waits_along() -> None:
    """Both messages are answered when it is gone."""
    out = ready("1").on(update("unregister", "u", version="1"), update("unregister", "w", version="1"))
    assert out.on(Drained(version="1", generation=1)).answers == [("u", ""), ("w", "")]


def test_unregister_of_a_whole_model_waits_for_its_last_version() -> None:
    """What takes no requests goes at once, the rest when drained, in whatever order."""
    for order in itertools.permutations(["1", "2", "3"]):
        out = ready("1", "2", "3").on(register("4", token="r"), update("unregister", "u"))
        assert [entry.version for entry in out.record.versions] == ["1", "2", "3"]
        assert out.answers == [("r", "load_failed")]
        for number, version in enumerate(order, 1):
            out.on(Drained(version=version))
            assert out.answers == ([("u", "")] if number == 3 else [])
        assert not out.record.versions
        assert out.record.sequence > 0, "generations go on growing"


def test_unregister_of_what_never_took_requests() -> None:
    """Answered at once, with an unload for a worker that may be loading it."""
    out = Course().on(register("1", token="r"), update("unregister", "u", version="1"))
    assert out.answers == [("r", "load_failed"), ("u", "")]
    assert [type(effect) for effect in out.of(AskUnload)] == [AskUnload]
    assert out.state() is None


def test_unregister_while_a_replacement_loads() -> None:
    """The version that serves drains; the replacement is called off."""
    out = ready("1").on(register("1", "b.onnx", token="r"), update("unregister", "u", version="1"))
    assert out.answers == [("r", "load_failed")]
    assert out.state() == DRAINING
    assert routes_of(out.record).versions[0].spec.generation == 1
    assert out.on(Drained(version="1", generation=1)).answers == [("u", "")]


def test_an_expired_drain_says_so() -> None:
    """It is unloaded anyway."""
    out = ready("1").on(update("unregister", "u"), Drained(version="1", generation=1, expired=True))
    (answer,) = out.of(Answer)
    assert isinstance(answer, Answer)
    assert (answer.code, "drain limit" in answer.message) == ("", True)


def test_the_newest_ready_version_is_the_default() -> None:
    """Until somebody says otherwise; a version registered under an explicit split takes nothing."""
    out = ready("1", "2")
    assert weights_of(out.record) == {"2": 1}
    out.on(register("3"))
    assert weights_of(out.record) == {"2": 1}
    assert weights_of(out.load("3").record) == {"3": 1}
    out.on(update("promote", version="1"), register("4")).load("4")
    assert weights_of(out.record) == {"1": 1}
    assert weights_of(out.on(update("unregister", version="1")).record) == {"4": 1}


def test_rollback_goes_back_one_change_of_the_routes() -> None:
    """Whether the change was a promotion, a split, or a new version."""
    out = ready("1", "2").on(update("rollback", "u"))
    assert (weights_of(out.record), out.answers) == ({"1": 1}, [("u", "")])
    out.on(update("split", weights={"1": 3, "2": 1}), update("promote", version="2"), update("rollback"))
    assert weights_of(out.record) == {"1": 3, "2": 1}
    assert weights_of(out.on(update("rollback")).record) == {"2": 1}


def test_a_change_without_effect_on_routes_keeps_the_epoch() -> None:
    """The router is told of changes only."""
    out = ready("1").on(update("promote", version="1"))
    epoch = out.record.epoch
    assert out.on(update("promote", version="1")).record.epoch == epoch


REFUSED = [
    (update("unregister"), BLANK, "model_not_found"),
    (update("unregister", version="1"), BLANK, "model_not_found"),
    (update("promote", version="1"), BLANK, "model_not_found"),
    (update("rollback"), BLANK, "model_not_found"),
    (update("alias", alias="a", version="1"), BLANK, "model_not_found"),
    (update("split", weights={"1": 1}), BLANK, "model_not_found"),
    (update("unregister", version="9"), None, "version_not_found"),
    (update("promote", version="9"), None, "version_not_found"),
    (update("promote", version="3"), None, "model_not_ready"),
    (update("promote", version="2"), None, "model_not_ready"),
    (update("split", weights={"1": 1, "3": 1}), None, "model_not_ready"),
    (update("split", weights={"1": 0}), None, "bad_request"),
    (update("split", weights={}), None, "bad_request"),
    (update("split"), None, "bad_request"),
    (update("alias", alias="1", version="1"), None, "bad_request"),
    (update("alias", alias="a b", version="1"), None, "bad_request"),
    (update("alias", alias="a", version="9"), None, "version_not_found"),
    (update("alias", alias="a", version="2"), None, "version_not_found"),
    (update("alias", alias="b", version=""), None, "version_not_found"),
    (update("rollback"), None, "bad_request"),
    (register("stable"), None, "bad_request"),
    (register("2", "2.onnx"), None, "model_not_ready"),
    (register("x y"), None, "bad_request"),
    (Update(model="m", json="?"), None, "bad_request"),
]


@pytest.mark.parametrize(("event", "record", "code"), REFUSED)
def test_what_is_refused_changes_nothing(event: Update, record: Record | None, code: str) -> None:
    """One reply with a code, one audit entry, the very same record."""
    event.id = "u"
    out = ready("1").on(update("alias", alias="stable", version="1"), register("2", "2.onnx"), register("3")).load("2")
    out.on(update("promote", version="1"), update("unregister", version="2"))
    out.record.previous.clear()
    if record is not None:
        out.record = record
    before = out.record
    out.on(event)
    assert out.record is before
    assert out.answers == [("u", code)]
    assert out.outcome == code


def test_aliases_are_set_moved_and_forgotten() -> None:
    """An alias may name a version through another alias, and one that is still loading."""
    out = ready("1").on(register("2"), update("alias", alias="a", version="1"), update("alias", alias="b", version="a"))
    assert dict(out.record.aliases) == {"a": "1", "b": "1"}
    out.on(update("alias", alias="a", version="2"), update("alias", alias="b"))
    assert dict(out.record.aliases) == {"a": "2"}


def _random_event(chance: random.Random, record: Record) -> Event:
    names = [entry.version for entry in record.versions]
    version = chance.choice([*names, "1", "2", "3"])
    entry = find(record, version)
    generation = entry.spec.generation if entry and chance.random() < 0.9 else chance.randrange(9)
    changes = [
        register(chance.choice(["", version]), chance.choice(["a.onnx", "b.onnx"]), token=str(chance.random())),
        update("unregister", str(chance.random()), **({"version": version} if chance.random() < 0.7 else {})),
        update("alias", alias=chance.choice("xy"), version=chance.choice([version, "x", ""])),
        update("split", weights={version: chance.randrange(3), "x": 1}),
        update("promote", version=version),
        update("rollback"),
    ]
    answers: list[Event] = [
        Loaded(version=version, lane=chance.randrange(2), generation=generation),
        Loaded(version=version, lane=chance.randrange(2), generation=generation),
        LoadFailed(version=version, generation=generation, message="no"),
        Remind(version=version, generation=generation, attempt=chance.randrange(1, 80)),
        LoadLost(version, generation, chance.random() < 0.5, ""),
        Drained(version=version, generation=generation),
    ]
    return chance.choice(changes if chance.random() < 0.5 else answers)


def test_whatever_happens_the_record_makes_sense() -> None:
    """Random lives: shares only for able versions, no alias to nowhere, each message answered exactly once."""
    chance = random.Random(11)
    for _ in range(60):
        out, asked, answered = Course(), [], []
        for _ in range(60):
            event = _random_event(chance, out.record)
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
            assert bool(weights_of(record)) == bool(able)
            assert set(record.aliases.values()) <= set(names)
            assert set(record.previous) <= set(names)
            assert record.epoch >= epoch
            now = routes_of(record)
            now.epoch = routes.epoch
            assert (record.epoch == epoch) == (now == routes)
            waiting = [u.id for entry in record.versions for u in entry.waiting]
            assert sorted(answered + waiting) == sorted(asked)
            for entry in record.versions:
                assert bool(entry.waiting) <= (entry.state in (LOADING, DRAINING))
