"""Records in TensorFlow Serving's words."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.conftest import RECORD

from scurry.gateway.doors import tf_records
from scurry.gateway.doors.tf_paths import TfOperation
from scurry.wire.errors import NotFound
from scurry.wire.tensors import DTYPES


def test_status_of_all_versions() -> None:
    """The newest first; what failed has ended, and says why."""
    assert tf_records.status(RECORD, TfOperation("status", "m")) == {
        "model_version_status": [
            {"version": "2", "state": "END", "status": {"error_code": "UNKNOWN", "error_message": "No such file."}},
            {"version": "1", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}},
        ],
        "name": "m",
        "ready": True,
    }


def test_status_of_one_version() -> None:
    """By its name or by a label."""
    by_name = tf_records.status(RECORD, TfOperation("status", "m", "2"))
    assert by_name == tf_records.status(RECORD, TfOperation("status", "m", "next", by_label=True))
    assert [one["version"] for one in by_name["model_version_status"]] == ["2"]
    assert by_name["ready"] is False


@pytest.mark.parametrize("operation", [TfOperation("status", "m", "9"), TfOperation("status", "m", "1", by_label=True)])
def test_what_there_is_not(operation: TfOperation) -> None:
    """A version's name is no label."""
    for tell in (tf_records.status, tf_records.metadata, tf_records.taken):
        with pytest.raises(NotFound):
            tell(RECORD, operation)


@pytest.mark.parametrize(
    ("one", "state"),
    [({"state": "registered"}, "START"), ({"state": "registered", "unloaded_by": "request"}, "END"),
     ({"state": "loading"}, "LOADING"), ({"state": "draining"}, "UNLOADING"), ({"state": "retired"}, "END")],
)  # fmt: skip
def test_states(one: dict[str, Any], state: str) -> None:
    """As TensorFlow Serving calls them."""
    record = {"versions": [{"version": "1", **one}]}
    assert tf_records.status(record, TfOperation("status", "m"))["model_version_status"][0]["state"] == state


def test_metadata_is_a_signature() -> None:
    """Of the version that answers."""
    told = tf_records.metadata(RECORD, TfOperation("metadata", "m"))
    assert told["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    signature = told["metadata"]["signature_def"]["signature_def"]["serving_default"]
    dims = [{"size": "-1", "name": ""}, {"size": "2", "name": ""}]
    shape = {"dim": dims, "unknown_rank": False}
    assert signature["inputs"] == {"x": {"dtype": "DT_FLOAT", "tensor_shape": shape, "name": "x"}}
    assert signature["outputs"]["y"]["dtype"] == "DT_STRING"
    assert signature["method_name"] == "tensorflow/serving/predict"


def test_every_type_has_a_name() -> None:
    """That of TensorFlow's enumeration."""
    specs = [{"name": name, "datatype": name, "shape": []} for name in DTYPES]
    record = {"versions": [{"version": "1", "state": "ready", "signature": {"inputs": specs}}]}
    told = tf_records.metadata(record, TfOperation("metadata", "m"))
    inputs = told["metadata"]["signature_def"]["signature_def"]["serving_default"]["inputs"]
    assert [inputs[name]["dtype"] for name in ("FP16", "FP64", "BF16", "BOOL", "INT8", "UINT64")] == [
        "DT_HALF", "DT_DOUBLE", "DT_BFLOAT16", "DT_BOOL", "DT_INT8", "DT_UINT64",
    ]  # fmt: skip


def test_the_signature_that_a_configuration_names() -> None:
    """Is what callers may name as well."""
    config = {"parameters": {"signature": "embed"}}
    record = {"versions": [{"version": "1", "state": "ready", "config": config}]}
    taken = tf_records.taken(record, TfOperation("predict", "m"))
    assert taken.signatures == ("embed", "serving_default", "tensorflow/serving/predict")
    assert taken.inputs == ()
    told = tf_records.metadata(record, TfOperation("metadata", "m"))
    assert list(told["metadata"]["signature_def"]["signature_def"]) == ["embed"]
