"""The record of one model."""

from __future__ import annotations

import pytest

from scurry.registry import record as records
from scurry.wire.errors import NotFound, Unavailable
from scurry.wire.messages_pb2 import DRAINING, FAILED, LOADING, READY, ModelSpec, Record, VersionRecord, VersionState


def version(name: str, state: VersionState, **fields: object) -> VersionRecord:
    """A version with a spec."""
    return VersionRecord(version=name, state=state, spec=ModelSpec(uri=f"{name}.onnx", generation=7), **fields)


def record(**fields: object) -> Record:
    """Ready 1 and 2, draining 3, loading 4, failed 5, and 6 that serves its former spec."""
    former = ModelSpec(uri="former.onnx", generation=2)
    return Record(
        model="m",
        epoch=9,
        versions=[
            version("1", READY),
            version("2", READY),
            version("3", DRAINING),
            version("6", LOADING, serving=former),
            version("4", LOADING),
            version("5", FAILED, message="broken"),
        ],
        **fields,
    )


def test_load_of_nothing_is_a_blank_record() -> None:
    """A model has a record before anything is known of it."""
    assert records.load(None, "m") == Record(model="m")
    assert records.load(record().SerializeToString(), "m") == record()


@pytest.mark.parametrize(
    ("fields", "weights"),
    [
        ({}, {"6": 1}),
        ({"weights": {"1": 3, "2": 1}}, {"1": 3, "2": 1}),
        ({"weights": {"1": 3, "2": 0}}, {"1": 3}),
        ({"weights": {"3": 1, "5": 1, "9": 1}}, {"6": 1}),
    ],
)
def test_weights(fields: dict[str, dict[str, int]], weights: dict[str, int]) -> None:
    """The explicit split among versions that are able, else the newest that is."""
    assert records.weights_of(record(**fields)) == weights


def test_weights_of_a_model_without_ready_versions() -> None:
    """Nobody has a share."""
    assert records.weights_of(Record(versions=[version("1", LOADING), version("2", DRAINING)])) == {}


def test_routes() -> None:
    """Ready and draining versions with the spec that answers now; what is loading is told from what failed."""
    routes = records.routes_of(record(aliases={"a": "1"}))
    assert [(r.version, r.weight, r.draining, r.spec.uri) for r in routes.versions] == [
        ("1", 0, False, "1.onnx"),
        ("2", 0, False, "2.onnx"),
        ("3", 0, True, "3.onnx"),
        ("6", 1, False, "former.onnx"),
    ]
    assert (list(routes.pending), list(routes.failed)) == (["6", "4"], ["5"]), "6 is being replaced"
    assert (routes.epoch, dict(routes.aliases)) == (9, {"a": "1"})


def test_require() -> None:
    """By name or alias, or a code."""
    full = record(aliases={"a": "1"})
    assert records.require(full, "a").version == "1"
    with pytest.raises(NotFound) as raised:
        records.require(full, "9")
    assert raised.value.code == "version_not_found"
    with pytest.raises(NotFound) as raised:
        records.require(Record(model="m"), "9")
    assert raised.value.code == "model_not_found"


@pytest.mark.parametrize(("name", "able"), [("1", True), ("6", True), ("3", False), ("4", False), ("5", False)])
def test_require_ready(name: str, able: bool) -> None:
    """Only what takes requests."""
    if able:
        assert records.require_ready(record(), name).version == name
    else:
        with pytest.raises(Unavailable):
            records.require_ready(record(), name)


def test_the_queue_of_a_version_is_what_its_options_say() -> None:
    """Of the options that answer now, while others are being loaded."""
    full = record()
    full.versions[0].spec.config = '{"dynamic_batching":{"default_queue_policy":{"max_queue_size":7}}}'
    assert [route.max_queue_size for route in records.routes_of(full).versions] == [7, 0, 0, 0]
