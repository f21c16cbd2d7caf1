"""Models as a file declares them, read and written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.client.declared import Version, document, read_document
from scurry.wire.errors import InvalidRequest

RECORD: dict[str, Any] = {
    "model": "m",
    "versions": [
        {"version": "1", "state": "ready", "uri": "/1", "runtime": "onnx", "config": {}, "pinned": True, "route": True},
        {"version": "2", "state": "registered", "uri": "/2", "runtime": "", "unloaded_by": "request", "route": False},
        {"version": "3", "state": "registered", "uri": "/3", "unloaded_by": "policy", "config": {"pinned": True}},
        {"version": "4", "state": "failed", "uri": "/4"},
        {"version": "5", "state": "draining", "uri": "/5"},
    ],
    "aliases": {"a": "1", "b": "4"},
    "weights": {"1": 9, "5": 1},
    "policy": {"latest": 2},
    "routes": {"1": 9},
}


def test_a_record_is_written_with_what_is_out_of_the_ordinary() -> None:
    """What failed or goes is left out, with what leads to it."""
    assert document({"m": RECORD}) == {
        "scurry": 1,
        "models": {
            "m": {
                "versions": [
                    {"version": "1", "uri": "/1", "runtime": "onnx", "pinned": True},
                    {"version": "2", "uri": "/2", "route": False, "loaded": False},
                    {"version": "3", "uri": "/3", "config": {"pinned": True}, "pinned": False},
                ],
                "aliases": {"a": "1"},
                "weights": {"1": 9},
                "policy": {"latest": 2},
            }
        },
    }


def test_a_shadow_is_written_and_read() -> None:
    """While a rollout compares, the shadow is the rollout's: a file that names it would be of no use."""
    record = {**RECORD, "shadow": {"1": {"percent": 5.0, "compared": 7}, "2": {"percent": 0}}}
    written = document({"m": record})
    assert written["models"]["m"]["shadow"] == {"version": "1", "percent": 5.0}
    assert read_document(written)["m"].shadow == {"version": "1", "percent": 5.0}
    rollout = {"state": "running", "guards": {"max_disagreement": 0.1}}
    assert "shadow" not in document({"m": {**record, "rollout": rollout}})["models"]["m"]
    assert "shadow" in document({"m": {**record, "rollout": {**rollout, "state": "finished"}}})["models"]["m"]
    assert "shadow" not in document({"m": {**record, "shadow": {"4": {"percent": 5}}}})["models"]["m"], "it failed"


@pytest.mark.parametrize(
    ("said", "named"),
    [
        ({"version": "1"}, "shadow.percent"),
        ({"version": "1", "percent": 0}, "shadow.percent"),
        ({"version": "1", "percent": True}, "shadow.percent"),
        ({"percent": 5}, "shadow.version"),
        ({"version": "1", "percent": 5, "share": 5}, "'share'"),
        ([], "shadow must be an object"),
    ],
)
def test_a_shadow_that_makes_no_sense_is_refused(said: object, named: str) -> None:
    """With the field's name."""
    with pytest.raises(InvalidRequest, match=named):
        read_document({"models": {"m": {"shadow": said}}})


def test_what_is_written_is_read() -> None:
    """As the same."""
    model = read_document(document({"m": RECORD}))["m"]
    assert [one.version for one in model.versions] == ["1", "2", "3"]
    assert model.versions[0] == Version("1", "/1", "onnx", {}, True)
    assert model.versions[1] == Version("2", "/2", route=False, loaded=False)
    assert (model.aliases, model.weights, model.policy) == ({"a": "1"}, {"1": 9}, {"latest": 2})


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"specific": [1]}, {"specific": ["1"]}),
        ({"latest": {"num_versions": 2}}, {"latest": 2}),
        ({"all": {}}, {"all": True}),
        ({}, {}),
    ],
)
def test_a_policy_is_as_the_registry_shows_it(said: dict[str, Any], shown: dict[str, Any]) -> None:
    """Else it would never be as declared, and be told at each apply."""
    assert read_document(document({"m": {"versions": [], "policy": said}}))["m"].policy == shown


def test_what_is_made_of_others_needs_no_uri() -> None:
    """Nor does `models register`."""
    one = {"version": "1", "runtime": "ensemble", "config": {}}
    assert read_document(document({"m": {"versions": [one]}}))["m"].versions[0].uri == "ensemble:"


def test_numbers_are_names_too() -> None:
    """YAML reads `1` as a number."""
    said = {"models": {"m": {"versions": [{"version": 1, "uri": "/1"}], "weights": {1: 2}, "aliases": {"a": 1}}}}
    model = read_document(said)["m"]
    assert (model.versions[0].version, model.weights, model.aliases) == ("1", {"1": 2}, {"a": "1"})


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ([], "Declaration: the file must be an object"),
        ({}, "Declaration: models must be an object"),
        ({"scurry": 2, "models": {}}, "Declaration: scurry must be 1"),
        ({"model": {}}, "the file has no field 'model'"),
        ({"models": {"a/b": {}}}, "is no name"),
        ({"models": {"m": {"version": []}}}, "Declaration: m has no field 'version'"),
        ({"models": {"m": {"versions": {}}}}, "m.versions must be a list"),
        ({"models": {"m": {"versions": [{"version": "1"}]}}}, r"m.versions\[0\] needs a uri"),
        ({"models": {"m": {"versions": [{"uri": "/1"}]}}}, r"m.versions\[0\].version: '' is no name"),
        ({"models": {"m": {"versions": [{"version": "1", "uri": "/1"}] * 2}}}, "names a version twice"),
        ({"models": {"m": {"versions": [{"version": "1", "uri": "/1", "pinned": 1}]}}}, "pinned must be true or false"),
        ({"models": {"m": {"versions": [{"version": "1", "uri": "/1", "config": {"a": {1, 2}}}]}}}, "JSON can hold"),
        ({"models": {"m": {"versions": [{"version": "1", "uri": "/1", "pool": "G"}]}}}, "pool must be the name"),
        ({"models": {"m": {"weights": {"1": -1}}}}, "weights.1 must be a whole number"),
        ({"models": {"m": {"weights": {"1": 0}}}}, "needs at least one weight above 0"),
        ({"models": {"m": {"aliases": {"a": "b/c"}}}}, "is no name"),
        ({"models": {"m": {"policy": {"newest": 1}}}}, "m.policy has no field 'newest'"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_place(said: object, words: str) -> None:
    """The sentence says where it stands in the file."""
    with pytest.raises(InvalidRequest, match=words):
        read_document(said)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["models", "m", "versions", "version", "uri", "weights", "aliases"]), inner)
    ),
)


@settings(deadline=None)
@given(JSON)
def test_any_file_is_read_or_refused(said: Any) -> None:
    """Never another exception."""
    try:
        read_document(said)
    except InvalidRequest as refusal:
        assert refusal.message.endswith(".")
        assert json.dumps(said)


def test_a_pool_is_part_of_a_versions_config() -> None:
    """It may stand beside it, where it is read more easily; exported it is in the config."""
    said = {"models": {"m": {"versions": [{"version": "1", "uri": "/1", "config": {"threads": 1}, "pool": "gpu"}]}}}
    (version,) = read_document(said)["m"].versions
    assert version.config == {"threads": 1, "pool": "gpu"}
