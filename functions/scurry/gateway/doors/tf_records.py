"""A model's record, told in TensorFlow Serving's words.

Pure: no I/O here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from scurry.gateway.describe import READY, Record, version_of
from scurry.gateway.doors.tf_paths import TfOperation
from scurry.protocols.tf_serving import Taken
from scurry.wire.errors import NotFound

SIGNATURE: Final = "serving_default"
"""What a model's one signature is called, unless its configuration names one of its file."""

_STATES: Final = {
    "registered": "START", "loading": "LOADING", "ready": "AVAILABLE", "draining": "UNLOADING",
    "retired": "END", "failed": "END",
}  # fmt: skip
_TYPES: Final = {
    "BOOL": "DT_BOOL", "BYTES": "DT_STRING", "FP16": "DT_HALF", "BF16": "DT_BFLOAT16", "FP32": "DT_FLOAT",
    "FP64": "DT_DOUBLE",
}  # fmt: skip


def status(record: Record, operation: TfOperation) -> dict[str, Any]:
    """The states of a version, or of all from the newest on; `name` and `ready` are KServe's."""
    answering = _version_of(record, operation)
    told: Sequence[Record] = [answering] if operation.version else record["versions"][::-1]
    return {
        "model_version_status": [_version_status(one) for one in told],
        "name": operation.model,
        "ready": answering["state"] == READY,
    }


def metadata(record: Record, operation: TfOperation) -> dict[str, Any]:
    """What a version takes and gives, as the one signature of a SavedModel."""
    one = _version_of(record, operation)
    known = one.get("signature") or {}
    signature = {
        "inputs": {spec["name"]: _tensor_info(spec) for spec in known.get("inputs", ())},
        "outputs": {spec["name"]: _tensor_info(spec) for spec in known.get("outputs", ())},
        "method_name": "tensorflow/serving/predict",
    }
    return {
        "model_spec": {"name": operation.model, "signature_name": "", "version": one["version"]},
        "metadata": {"signature_def": {"signature_def": {_signature_of(one): signature}}},
    }


def taken(record: Record, operation: TfOperation) -> Taken:
    """What a version takes; a call may name its signature, or the kind of signature that the verb is for."""
    one = _version_of(record, operation)
    signatures = dict.fromkeys((_signature_of(one), SIGNATURE, f"tensorflow/serving/{operation.name}"))
    return Taken((one.get("signature") or {}).get("inputs", ()), tuple(signatures))


def _version_of(record: Record, operation: TfOperation) -> Record:
    """The version that is asked for. Raises `NotFound`, also for a label that is only a version's name."""
    if operation.by_label and operation.version not in record.get("aliases", {}):
        raise NotFound("version_not_found", f"Model {operation.model!r} has no label {operation.version!r}.")
    return version_of(record, operation.model, operation.version)


def _signature_of(version: Record) -> str:
    parameters = version.get("config", {}).get("parameters")
    named = parameters.get("signature") if isinstance(parameters, dict) else None
    return named if isinstance(named, str) and named else SIGNATURE


def _version_status(one: Record) -> dict[str, Any]:
    failed = one["state"] == "failed"
    state = "END" if "unloaded_by" in one and one["state"] == "registered" else _STATES.get(one["state"], "UNKNOWN")
    told = {"error_code": "UNKNOWN" if failed else "OK", "error_message": one.get("reason", "") if failed else ""}
    return {"version": one["version"], "state": state, "status": told}


def _tensor_info(spec: Record) -> dict[str, Any]:
    dims = [{"size": str(size), "name": ""} for size in spec.get("shape", ())]
    datatype = spec["datatype"]
    return {
        "dtype": _TYPES.get(datatype, f"DT_{datatype}"),
        "tensor_shape": {"dim": dims, "unknown_rank": False},
        "name": spec["name"],
    }
