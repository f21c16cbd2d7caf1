"""A record of the registry in the protocol's words."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scurry.gateway import describe
from scurry.registry.views import view
from scurry.wire.errors import NotFound
from scurry.wire.messages_pb2 import FAILED, READY, ModelSpec, Record, Signature, TensorSpec, VersionRecord


def versions(**states: str) -> dict[str, Any]:
    """A record with versions v1, v2, … in these states."""
    return {"versions": [{"version": name, "state": state} for name, state in states.items()]}


def test_the_server_names_itself_and_what_it_can() -> None:
    """Triton's clients read these three."""
    told = describe.server()
    assert told["name"] == "scurry"
    assert told["version"]
    assert "binary_tensor_data" in told["extensions"]
    assert "cuda_shared_memory" not in told["extensions"]


def test_the_server_is_called_as_it_is_told_to() -> None:
    """Some tools look for Triton's name."""
    named = describe.server(describe.Server("triton", "2.51"))
    assert (named["name"], named["version"]) == ("triton", "2.51")
    assert describe.server(describe.Server("triton"))["version"] == describe.server()["version"]


@pytest.mark.parametrize(
    ("record", "version", "meant"),
    [
        (versions(v1="ready", v2="ready"), "v1", "v1"),
        (versions(v1="ready", v2="ready"), "", "v2"),
        (versions(v1="ready", v2="failed"), "", "v1"),
        (versions(v1="failed", v2="loading"), "", "v2"),
        (versions(v1="ready", v2="ready") | {"routes": {"v1": 90, "v2": 10}}, "", "v1"),
        (versions(v1="ready", v2="ready") | {"aliases": {"best": "v1"}}, "best", "v1"),
    ],
)
def test_which_version_is_meant(record: dict[str, Any], version: str, meant: str) -> None:
    """Its name, its alias, or the one with most of the requests."""
    assert describe.version_of(record, "m", version)["version"] == meant


def test_a_version_that_is_not_there_is_not_found() -> None:
    """As is a model without any."""
    with pytest.raises(NotFound, match="version_not_found"):
        describe.version_of(versions(v1="ready"), "m", "9")
    with pytest.raises(NotFound, match="model_not_found"):
        describe.version_of({"versions": []}, "m", "")


def test_metadata_of_a_version_that_never_loaded_has_no_tensors() -> None:
    """Nobody knows them."""
    told = describe.metadata(versions(v1="failed") | {"signature": None}, "m", "")
    assert told == {"name": "m", "versions": [], "platform": "", "inputs": [], "outputs": []}


@pytest.mark.parametrize(("batched", "dims", "largest"), [(True, [3, 4], 8), (False, [-1, 3, 4], 0)])
def test_a_configuration_leaves_out_the_batch_dimension(batched: bool, dims: list[int], largest: int) -> None:
    """As Triton's does when max_batch_size is above 0."""
    spec = {"name": "x", "datatype": "BYTES", "shape": [-1, 3, 4]}
    version = {
        "version": "1", "state": "ready", "runtime": "onnx", "max_batch_size": 8,
        "signature": {"inputs": [spec], "outputs": [spec | {"datatype": "FP16"}], "batched": batched},
    }  # fmt: skip
    told = describe.configuration({"versions": [version]}, "m", "1")
    assert told["max_batch_size"] == largest
    assert told["input"] == [{"name": "x", "data_type": "TYPE_STRING", "dims": dims}]
    assert told["output"][0]["data_type"] == "TYPE_FP16"


def test_the_index_lists_every_version_of_every_model() -> None:
    """In Triton's states."""
    states = {"registered": "UNAVAILABLE", "loading": "LOADING", "ready": "READY", "draining": "UNLOADING"}
    states |= {"failed": "UNAVAILABLE", "retired": "UNAVAILABLE"}
    record = versions(**{state: state for state in states})
    told = describe.index({"b": record, "a": versions(v1="ready")})
    assert told[0] == {"name": "a", "version": "v1", "state": "READY", "reason": ""}
    assert {one["version"]: one["state"] for one in told[1:]} == states
    assert [one["name"] for one in describe.index({"b": record}, ready_only=True)] == ["b"]
    away = {"versions": [{"version": "1", "state": "registered", "unloaded_by": "policy"}]}
    assert [one["reason"] for one in describe.index({"b": away})] == ["unloaded"]


def test_the_registrys_own_record_is_understood() -> None:
    """What the registry writes is what is read here."""
    signature = Signature(inputs=[TensorSpec(name="x", datatype="FP32", shape=[-1, 4])], batched=True)
    spec = ModelSpec(runtime="onnx", max_batch_size=16)
    record = Record(
        model="m",
        versions=[
            VersionRecord(version="1", state=READY, spec=spec, signature=signature),
            VersionRecord(version="2", state=FAILED, spec=spec, message="No such file."),
        ],
        aliases={"best": "1"},
        weights={"1": 3},
    )
    told = json.loads(view(record))
    assert describe.is_ready(told, "m", "")
    assert describe.metadata(told, "m", "best")["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 4]}]
    assert describe.configuration(told, "m", "")["input"][0]["dims"] == [4]
    assert [one["reason"] for one in describe.index({"m": told})] == ["", "No such file."]
