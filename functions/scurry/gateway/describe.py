"""A model's record, told in the protocol's words.

A record is what the registry writes for readers: `versions` (each with `version`, `state`, `runtime`, `signature`, …),
`aliases`, `routes` (version → weight of what names no version). Pure: no I/O here.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable, Mapping
from typing import Any, Final, NamedTuple

from scurry.wire.errors import NotFound

Record = Mapping[str, Any]

EXTENSIONS: Final = (
    "classification", "sequence", "model_repository", "model_repository(unload_dependents)", "schedule_policy",
    "model_configuration", "system_shared_memory", "binary_tensor_data", "parameters", "statistics", "trace", "logging",
)  # fmt: skip
"""Triton's names for what it has beyond the protocol. CUDA shared memory is not among ours."""
READY: Final = "ready"
_STATES: Final = {"loading": "LOADING", "ready": "READY", "draining": "UNLOADING"}


class Server(NamedTuple):
    """What the server is called; without a version, by our own."""

    name: str = "scurry"
    version: str = ""


OURS: Final = Server()


def server(called: Server = OURS) -> dict[str, Any]:
    """Server metadata."""
    version = called.version or importlib.metadata.version("scurry")
    return {"name": called.name, "version": version, "extensions": list(EXTENSIONS)}


def version_of(record: Record, name: str, version: str) -> Record:
    """The version asked for: by its own name, by alias, or the one that answers when none is named."""
    versions: list[Record] = list(record.get("versions", ()))
    if version:
        meant = record.get("aliases", {}).get(version, version)
        for one in versions:
            if one["version"] == meant:
                return one
        raise NotFound("version_not_found", f"Model {name!r} has no version {version!r}.")
    if not versions:
        raise NotFound("model_not_found", f"Model {name!r} has no version.")
    weights: Mapping[str, int] = record.get("routes", {})
    ready = [one for one in versions if one["state"] == READY]
    return max(reversed(ready or versions), key=lambda one: weights.get(one["version"], 0))


def metadata(record: Record, name: str, version: str) -> dict[str, Any]:
    """What a model takes and gives."""
    one = version_of(record, name, version)
    signature = one.get("signature") or {}
    return {
        "name": name,
        "versions": [each["version"] for each in record["versions"] if each["state"] == READY],
        "platform": one.get("runtime", ""),
        "inputs": [_tensor(spec) for spec in signature.get("inputs", ())],
        "outputs": [_tensor(spec) for spec in signature.get("outputs", ())],
    }


def is_ready(record: Record, name: str, version: str) -> bool:
    """Whether the version asked for takes requests."""
    return bool(version_of(record, name, version)["state"] == READY)


def configuration(record: Record, name: str, version: str) -> dict[str, Any]:
    """Triton's model configuration, as far as it means something here."""
    one = version_of(record, name, version)
    signature = one.get("signature") or {}
    batched = bool(signature.get("batched"))
    return {
        "name": name,
        "platform": one.get("runtime", ""),
        "backend": one.get("runtime", ""),
        "max_batch_size": int(one.get("max_batch_size", 0)) if batched else 0,
        "input": [_field(spec, batched) for spec in signature.get("inputs", ())],
        "output": [_field(spec, batched) for spec in signature.get("outputs", ())],
        **({"sequence_batching": one.get("config", {}).get("sequence_batching", {})} if one.get("sequences") else {}),
    }


def index(records: Mapping[str, Record], *, ready_only: bool = False) -> list[dict[str, str]]:
    """Every version of every model, as Triton's repository index tells it."""
    return [
        {
            "name": name,
            "version": one["version"],
            "state": _STATES.get(one["state"], "UNAVAILABLE"),
            "reason": one.get("reason") or ("unloaded" if "unloaded_by" in one else ""),
        }
        for name, record in sorted(records.items())
        for one in _listed(record.get("versions", ()), ready_only)
    ]


def _listed(versions: Iterable[Record], ready_only: bool) -> Iterable[Record]:
    return (one for one in versions if one["state"] == READY or not ready_only)


def _tensor(spec: Record) -> dict[str, Any]:
    return {"name": spec["name"], "datatype": spec["datatype"], "shape": [int(size) for size in spec.get("shape", ())]}


def _field(spec: Record, batched: bool) -> dict[str, Any]:
    datatype = spec["datatype"]
    sizes = [int(size) for size in spec.get("shape", ())]
    return {
        "name": spec["name"],
        "data_type": "TYPE_STRING" if datatype == "BYTES" else f"TYPE_{datatype}",
        "dims": sizes[1:] if batched else sizes,
    }
