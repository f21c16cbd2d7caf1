"""A model's routes and what is outstanding on each lane."""

from __future__ import annotations

import pytest

from scurry.router.policy import Refusal
from scurry.router.routes import RouteTable, Tables
from scurry.wire.messages_pb2 import ModelSpec, Replies, Reply, RouterState, Routes, VersionRoute


def route(version: str, weight: int = 0, **fields: object) -> VersionRoute:
    """A route with a spec."""
    return VersionRoute(version=version, weight=weight, spec=ModelSpec(generation=1, max_batch_size=32), **fields)


def table(*routes: VersionRoute, epoch: int = 1, pending: tuple[str, ...] = (), **aliases: str) -> RouteTable:
    """A table with these routes in force."""
    out = RouteTable.load(None)
    out.replace(Routes(epoch=epoch, versions=routes, pending=pending, aliases=aliases))
    return out


def test_a_blank_table_keeps_nothing() -> None:
    """A model nobody told of has no state."""
    blank = RouteTable.load(None)
    assert not blank.known
    assert not blank.changed
    assert blank.save() is None
    assert blank.weights == []


def test_save_and_load_are_inverse() -> None:
    """What is kept comes back."""
    first = table(route("1", 1), route("2"), stable="1")
    lanes = first.lanes("1")
    assert lanes is not None
    lanes.send(1, 5)
    again = RouteTable.load(first.save())
    assert repr(again) == repr(first)
    assert again.save() == first.save()
    assert not again.changed


def test_state_stays_small() -> None:
    """A model with two versions and a million requests keeps well under 300 bytes."""
    filled = table(route("1", 1), route("2", 1), stable="1")
    for version in ("1", "2"):
        lanes = filled.lanes(version)
        assert lanes is not None
        for lane in (0, 1):
            lanes.finish(lane, lanes.send(lane, 1_000_000)[0])
    saved = filled.save()
    assert saved is not None
    assert len(saved) < 300


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("1", "1"),
        ("stable", "1"),
        ("2", "version_not_found"),
        ("old", "version_not_found"),
        ("3", "model_not_ready"),
        ("next", "model_not_ready"),
        ("4", "version_not_found"),
    ],
)
def test_resolve(asked: str, answer: str) -> None:
    """Versions and aliases, draining and pending ones among them."""
    routes = table(route("1", 1), route("2", draining=True), pending=("3",), stable="1", old="2", next="3")
    found = routes.resolve(asked)
    assert (found.code if isinstance(found, Refusal) else found.version) == answer


def test_a_refusal_says_what_there_is() -> None:
    """The sentence names versions and aliases."""
    refusal = table(route("1", 1), route("2"), stable="1").resolve("9")
    assert refusal == Refusal("version_not_found", "No version or alias '9'; there are 1, 2, stable.")


def test_a_model_without_routes() -> None:
    """Unknown is told from registered but not ready."""
    assert RouteTable.load(None).nothing_ready().code == "model_not_found"
    assert RouteTable.load(None).resolve("1") == Refusal("model_not_found", "No model of this name is registered.")
    assert table(pending=("1",)).nothing_ready().code == "model_not_ready"


def test_draining_versions_have_no_share() -> None:
    """Weights of versions on their way out do not count."""
    assert table(route("1", 3), route("2", 1, draining=True), route("3")).weights == [("1", 3)]


def test_new_routes_keep_the_counters_of_what_stays() -> None:
    """A switch does not forget what is outstanding; what is gone is forgotten."""
    routes = table(route("1", 1), route("2"))
    for version, count in (("1", 5), ("2", 3)):
        lanes = routes.lanes(version)
        assert lanes is not None
        lanes.send(0, count)
    routes.replace(Routes(epoch=2, versions=[route("2", 1), route("3")]))
    assert routes.lanes("1") is None
    assert [lanes.outstanding for lanes in (routes.lanes("2"), routes.lanes("3")) if lanes] == [[3, 0], [0, 0]]


def test_older_routes_have_no_effect() -> None:
    """Epochs only grow."""
    routes = table(route("2", 1), epoch=5)
    routes.replace(Routes(epoch=4, versions=[route("1", 1)]))
    assert routes.weights == [("2", 1)]


def test_announcements_are_not_kept() -> None:
    """They are sent once, not with every call."""
    routes = RouteTable.load(None)
    routes.replace(Routes(versions=[route("1")], announce=Replies(replies=[Reply(record="x" * 1000)])))
    saved = routes.save()
    assert saved is not None
    assert len(saved) < 100


def test_send_counts_and_asks_for_a_report_now_and_then() -> None:
    """Sequences grow per lane; the eighth request asks, the next seven do not."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    assert [lanes.send(0, 1)[1] for _ in range(9)] == [False] * 7 + [True, False]
    assert lanes.send(0, 3) == (12, False)
    assert lanes.send(1, 8) == (8, True)
    assert lanes.outstanding == [12, 8]
    assert lanes.emptiest == 1


def test_a_report_covers_all_before_it() -> None:
    """Reports may come late, twice or for lanes that are not there."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    lanes.send(0, 10)
    for lane, sequence in ((0, 8), (0, 5), (0, 8), (0, 11), (7, 1)):
        lanes.finish(lane, sequence)
    assert lanes.outstanding == [2, 0]
    assert not lanes.idle
    lanes.finish(0, 10)
    assert lanes.idle


def test_extra_lanes_come_and_go() -> None:
    """They are counted from the first use and forgotten, last first, when they are idle."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    lanes.send(3, 4)
    assert lanes.outstanding == [0, 0, 0, 4]
    lanes.finish(3, 4)
    assert lanes.outstanding == [0, 0]


def test_unasked_lanes_are_asked_once() -> None:
    """A flush goes to the lanes that owe a report, and not twice."""
    lanes = table(route("1", 1)).lanes("1")
    assert lanes is not None
    lanes.send(0, 3)
    lanes.send(1, 8)
    assert lanes.unasked() == [(0, 3)]
    assert lanes.unasked() == []


def test_a_draining_version_reports_everything() -> None:
    """What is sent to it after a bounce is reported at once."""
    lanes = table(route("1", draining=True)).lanes("1")
    assert lanes is not None
    assert lanes.send(0, 1) == (1, True)


def test_repr_tells_the_state() -> None:
    """Epoch, weights and what is outstanding."""
    routes = table(route("1", 1), route("2", draining=True), epoch=7)
    lanes = routes.lanes("2")
    assert lanes is not None
    lanes.send(0, 4)
    assert repr(routes) == "<RouteTable epoch 7; 1: weight 1, 0 outstanding; 2: weight 0, 4 outstanding, draining>"
    assert repr(RouteTable.load(None)) == "<RouteTable epoch 0; nothing routed>"


def test_a_remembered_table_serves_only_the_state_it_was_kept_with() -> None:
    """Another state, as after a restore, is read anew; a table that is not put back is forgotten."""
    tables = Tables()
    state = RouterState(routes=Routes(epoch=1, versions=[VersionRoute(version="1", weight=1)])).SerializeToString()
    other = RouterState(routes=Routes(epoch=2, versions=[VersionRoute(version="2", weight=1)])).SerializeToString()
    table = tables.take("m", state)
    table.changed = True
    tables.put("m", state, table)
    again = tables.take("m", state)
    assert again is table
    assert not again.changed
    assert tables.take("m", state) is not table
    tables.put("m", state, table)
    assert tables.take("m", other).epoch == 2
    tables.put("gone", None, table)
    assert repr(tables) == "<Tables of 0 models>"


def test_no_more_tables_are_remembered_than_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one put longest ago goes first."""
    monkeypatch.setattr("scurry.router.routes.REMEMBERED", 2)
    tables = Tables()
    state = RouterState(routes=Routes(epoch=1, pending=["1"])).SerializeToString()
    kept = {model: tables.take(model, state) for model in "abc"}
    for model, table in kept.items():
        tables.put(model, state, table)
    assert tables.take("a", state) is not kept["a"]
    assert tables.take("b", state) is kept["b"]
    assert tables.take("c", state) is kept["c"]
