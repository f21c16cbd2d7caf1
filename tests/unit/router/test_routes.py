"""A model's routes and what is outstanding on each lane."""

from __future__ import annotations

from scurry.router.routes import RouteTable
from scurry.wire.messages_pb2 import ModelSpec, Replies, Reply, Routes, VersionRoute


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


def test_a_table_is_kept_as_long_as_something_waits() -> None:
    """Of a model that does not exist nothing is kept once nobody waits for it."""
    out = RouteTable.load(None)
    out.ask()
    out.hold(2)
    again = RouteTable.load(out.save())
    assert (again.held, again.asked) == (2, True)
    again.replace(Routes())
    assert again.asked, "that was told by itself"
    again.replace(Routes(wanted=True))
    assert (again.held, again.asked) == (2, False)
    again.hold(-2)
    assert again.save() is None


def test_routes_that_come_too_late_are_an_answer_all_the_same() -> None:
    """The question is settled, the newer routes stay."""
    out = table(route("2", 1), epoch=5)
    out.ask()
    out.replace(Routes(epoch=4, wanted=True))
    assert (out.asked, out.weights) == (False, [("2", 1)])


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


def test_repr_tells_the_state() -> None:
    """Epoch, weights and what is outstanding."""
    routes = table(route("1", 1), route("2", draining=True), epoch=7)
    lanes = routes.lanes("2")
    assert lanes is not None
    lanes.send(0, 4)
    assert repr(routes) == "<RouteTable epoch 7; 1: weight 1, 0 outstanding; 2: weight 0, 4 outstanding, draining>"
    assert repr(RouteTable.load(None)) == "<RouteTable epoch 0; nothing routed>"


def test_a_version_that_comes_again_counts_on_from_the_one_that_went() -> None:
    """What that one had outstanding may be reported late, together with the first of this one."""
    first = table(route("1", 1))
    first["1"].send(0, 57)
    first.replace(Routes(epoch=2))
    again = RouteTable.load(first.save())
    again.replace(Routes(epoch=3, versions=[route("1", 1)]))
    assert again["1"].idle
    assert again["1"].send(0, 1)[0] == 58
    again.finish("1", 0, 57)
    assert again["1"].outstanding == [1, 0]
    again.finish("1", 0, 58)
    assert again["1"].idle
