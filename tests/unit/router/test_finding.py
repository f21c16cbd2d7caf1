"""The version that a request asks for."""

from __future__ import annotations

import pytest
from tests.unit.router.test_routes import route, table

from scurry.client.readiness import NO_VERSION
from scurry.router.finding import nothing_ready, resolve
from scurry.router.policy import Hope, Refusal
from scurry.router.routes import RouteTable
from scurry.wire.messages_pb2 import Routes


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
    found = resolve(routes, asked)
    assert (found.code if isinstance(found, Refusal) else found.version) == answer


def test_what_is_out_of_memory_is_refused_with_a_way_out() -> None:
    """It is known, not pending: nobody need wait for it, by version or by alias."""
    routes = RouteTable.load(None)
    routes.replace(Routes(epoch=1, unloaded=["1"], aliases={"a": "1"}))
    assert routes.known
    for asked in ("1", "a"):
        refusal = resolve(routes, asked)
        assert isinstance(refusal, Refusal)
        assert (refusal.code, refusal.hope) == ("model_not_ready", Hope.MOMENT)
        assert "load it" in refusal.message
    assert nothing_ready(routes).code == "model_not_ready"


def test_ready_versions_that_were_given_no_requests_are_told_from_none() -> None:
    """The sentence says what is missing."""
    assert "takes requests that name none" in nothing_ready(table(route("1", 0))).message


def test_a_refusal_says_what_there_is() -> None:
    """The sentence names versions and aliases."""
    refusal = resolve(table(route("1", 1), route("2"), stable="1"), "9")
    assert refusal == Refusal("version_not_found", "No version or alias '9'; there are 1, 2, stable.", Hope.MOMENT)


def test_a_model_without_routes() -> None:
    """Unknown is told from registered but not ready."""
    assert nothing_ready(RouteTable.load(None)).code == "model_not_found"
    assert resolve(RouteTable.load(None), "1").code == "model_not_found"
    assert nothing_ready(table(pending=("1",))).code == "model_not_ready"


@pytest.mark.parametrize(
    ("routes", "hope"),
    [
        (Routes(), Hope.MOMENT),
        (Routes(pending=["1"]), Hope.LOADING),
        (Routes(failed=["1"]), Hope.MOMENT),
        (Routes(failed=["2"]), Hope.MOMENT),
        (Routes(versions=[route("2")]), Hope.MOMENT),
        (Routes(versions=[route("2", draining=True)]), Hope.MOMENT),
        (Routes(versions=[route("2", 1)], pending=["1"]), Hope.LOADING),
    ],
)
def test_what_may_be_hoped_for(routes: Routes, hope: Hope) -> None:
    """What is loading is worth waiting for; of anything else news may be on its way."""
    out = RouteTable.load(None)
    out.replace(routes)
    refusal = resolve(out, "1")
    assert isinstance(refusal, Refusal)
    assert refusal.hope is hope


@pytest.mark.parametrize("name", [NO_VERSION, "a/b", "a b", "x" * 129, "é"])
def test_nobody_waits_for_a_version_that_cannot_be_registered(name: str) -> None:
    """It is refused at once; one that may be registered any moment has that moment."""
    for routes in (RouteTable.load(None), table(route("1", 1))):
        refused, hopeful = resolve(routes, name), resolve(routes, "2")
        assert isinstance(refused, Refusal)
        assert isinstance(hopeful, Refusal)
        assert (refused.code, refused.hope, hopeful.hope) == (hopeful.code, Hope.NONE, Hope.MOMENT)
