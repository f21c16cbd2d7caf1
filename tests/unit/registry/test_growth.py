"""Lanes that come to a version, or leave it, while it takes requests."""

from __future__ import annotations

import pytest
from tests.unit.registry.course import Course, register, update

from scurry.registry.record import find, routes_of
from scurry.registry.steps import AskLoad, RemindLater
from scurry.wire.messages_pb2 import LanesWanted, Loaded, LoadFailed, Remind, VersionRecord


def entry(out: Course, version: str = "1") -> VersionRecord:
    """A version's record."""
    found = find(out.record, version)
    assert found is not None
    return found


def lanes(out: Course) -> tuple[int, int]:
    """Lanes that take requests, and how many the router may ask for."""
    (route,) = routes_of(out.record).versions
    return route.lanes, route.most_lanes


def loaded(out: Course, *which: int) -> Course:
    """These lanes have loaded it."""
    return out.on(*(Loaded(version="1", lane=lane, generation=entry(out).spec.generation) for lane in which))


def asked(out: Course) -> list[int]:
    """The lanes that were asked to load just now."""
    return [effect.lane for effect in out.of(AskLoad) if isinstance(effect, AskLoad)]


def elastic() -> Course:
    """A version with two lanes that may have four."""
    return Course().on(register("1")).load().on(update("lanes", min=1, max=4))


def wanted(out: Course, count: int) -> Course:
    """The router asks for so many lanes."""
    return out.on(LanesWanted(version="1", generation=entry(out).spec.generation, lanes=count))


def test_without_a_number_nothing_is_said() -> None:
    """Nor does the router's wish count."""
    out = Course().on(register("1")).load()
    assert lanes(out) == (0, 0)
    assert asked(wanted(out, 3)) == []
    assert lanes(out) == (0, 0)


@pytest.mark.parametrize("count", [1, 3])
def test_as_many_as_the_config_says_load_before_it_is_ready(count: int) -> None:
    """`instance_group` is a number of lanes."""
    out = Course().on(register("1", config={"instance_group": [{"count": count}]}))
    assert asked(out) == list(range(count))
    loaded(out, *range(count - 1))
    assert not routes_of(out.record).versions
    assert lanes(loaded(out, count - 1)) == (count, count)


def test_a_lane_takes_requests_once_its_worker_has_loaded() -> None:
    """The routes change with the last of them, and not before."""
    out = elastic()
    assert lanes(out) == (2, 4)
    epoch = out.record.epoch
    assert asked(wanted(out, 4)) == [2, 3]
    assert lanes(loaded(out, 3)) == (2, 4)
    assert out.record.epoch == epoch
    assert lanes(loaded(out, 2)) == (4, 4)
    assert out.record.epoch == epoch + 1
    assert lanes(wanted(out, 9)) == (4, 4), "no more than is told"


def test_a_lane_that_leaves_loads_anew_before_it_comes_again() -> None:
    """Its worker may have let the model go."""
    out = elastic()
    assert lanes(wanted(out, 1)) == (1, 4)
    assert lanes(wanted(out, 0)) == (1, 4), "no fewer than is told"
    assert asked(wanted(out, 2)) == [1]
    assert lanes(loaded(out, 1)) == (2, 4)


def test_the_verb_grows_and_shrinks_at_once() -> None:
    """As far as it can without waiting for a load."""
    out = Course().on(register("1")).load().on(update("lanes", min=3))
    assert (asked(out), lanes(out)) == ([2], (2, 3))
    assert lanes(loaded(out, 2)) == (3, 3)
    assert lanes(out.on(update("lanes", max=1))) == (1, 1)
    assert lanes(out.on(update("lanes"))) == (0, 0)
    assert entry(out).lanes == 0


def test_lanes_that_do_not_answer_are_asked_again_and_not_for_ever() -> None:
    """A reminder asks those that are missing; a load that fails leaves what there is."""
    out = wanted(elastic(), 3)
    (reminder,) = out.of(RemindLater)
    assert isinstance(reminder, RemindLater)
    generation = entry(out).spec.generation
    assert asked(out.on(Remind(version="1", generation=generation, attempt=1))) == [2]
    assert out.of(RemindLater) == [RemindLater("1", generation, 2)]
    out.on(LoadFailed(version="1", lane=2, generation=generation, error="load_failed", message="No."))
    assert (lanes(out), out.state()) == ((2, 4), entry(out).state)
    assert asked(out.on(Remind(version="1", generation=generation, attempt=2))) == []
    wanted(out, 3).on(Remind(version="1", generation=generation, attempt=10_000))
    assert entry(out).growing == 0
    assert lanes(loaded(out, 2)) == (2, 4)


def test_what_is_asked_for_again_is_not_asked_twice() -> None:
    """The router repeats itself while a load lasts; one row of reminders is enough."""
    out = wanted(elastic(), 3)
    assert len(out.of(RemindLater)) == 1
    assert (asked(wanted(out, 3)), out.of(RemindLater), entry(out).growing) == ([], [], 3)
    assert (asked(wanted(out, 4)), len(out.of(RemindLater)), entry(out).growing) == ([2, 3], 1, 4)


def test_what_is_registered_again_loads_on_as_many() -> None:
    """A hot version stays as wide as it was."""
    out = loaded(wanted(elastic(), 3), 2).on(register("1", "b.onnx"))
    assert lanes(out) == (3, 4)
    assert asked(out) == [0, 1, 2]
    loaded(out, 0, 1)
    assert routes_of(out.record).versions[0].spec.uri == "a.onnx"
    loaded(out, 2)
    assert (lanes(out), routes_of(out.record).versions[0].spec.uri) == ((3, 4), "b.onnx")


def test_a_replacement_that_failed_leaves_no_lane_that_has_not_loaded() -> None:
    """Who had loaded the new files has not loaded the old ones."""
    out = loaded(elastic().on(register("1", "b.onnx")), 1)
    out.on(LoadFailed(version="1", lane=0, generation=entry(out).spec.generation, error="load_failed", message="No."))
    assert (lanes(out), list(entry(out).loaded)) == ((2, 4), [0, 1])
    assert asked(wanted(out, 3)) == [2]


def test_fewer_lanes_told_while_it_loads_are_enough() -> None:
    """Whoever has loaded is asked once more, lest nobody says that it is enough."""
    out = loaded(Course().on(register("1")), 0).on(update("lanes", min=1, max=1))
    assert asked(out.on(Remind(version="1", generation=entry(out).spec.generation, attempt=1))) == [0]
    assert lanes(loaded(out, 0)) == (1, 1)


def test_a_user_function_has_its_lanes_at_once() -> None:
    """Nothing is loaded for it."""
    out = Course().on(register("1", "example/upper", runtime="function"), update("lanes", min=4))
    assert (asked(out), lanes(out)) == ([], (4, 4))
