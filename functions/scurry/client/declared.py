"""Models as a file declares them.

    {"scurry": 1, "models": {"digits": {
        "versions": [{"version": "1", "uri": "/models/digits.onnx", "runtime": "onnx", "config": {}, "pinned": false,
                      "route": true, "loaded": true}],
        "aliases": {"stable": "1"}, "weights": {"1": 1}, "policy": {"latest": 2},
        "limits": {"max_queue_size": 100}, "lanes": {"min": 1, "max": 4},
        "streams": {"serving_stream": {"batched": false}}, "shadow": {"version": "2", "percent": 5}}}}

Versions stand in the order of their registration; `"pool": "gpu"` beside a version is short for the same in its
config. What a file leaves out it says nothing about.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from scurry.wire.errors import InvalidRequest
from scurry.wire.names import ENSEMBLE_RUNTIME, MODEL_NAME, NO_FILE
from scurry.wire.policies import parse_policy, policy_view
from scurry.wire.pools import POOL_NAME, SAY

FORMAT: Final = 1
_MODEL: Final = ("versions", "aliases", "weights", "policy", "limits", "lanes", "streams", "shadow")
_VERSION: Final = ("version", "uri", "runtime", "config", "pool", "pinned", "route", "loaded")


@dataclass(frozen=True, slots=True)
class Version:
    """One version: where it lies, how it is opened, whether it is in memory."""

    version: str
    uri: str
    runtime: str = ""  # empty: whatever opens it
    config: Mapping[str, Any] = field(default_factory=dict)
    pinned: bool | None = None  # None: as its config says
    route: bool = True  # as a new version: takes requests without being given any
    loaded: bool = True  # False: registered, not in memory


@dataclass(frozen=True, slots=True)
class Model:
    """One model; what is empty is left as it is."""

    versions: Sequence[Version] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    weights: Mapping[str, int] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    limits: Mapping[str, Any] = field(default_factory=dict)  # as the verb takes them, each tenant with its burst
    lanes: Mapping[str, Any] = field(default_factory=dict)
    streams: Mapping[str, bool] = field(default_factory=dict)  # Cluster Serving streams, and which are batched
    shadow: Mapping[str, Any] = field(default_factory=dict)  # which version gets copies, and of how many percent


def document(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What a file says so that these records come about again."""
    return {"scurry": FORMAT, "models": {name: _model_out(records[name]) for name in sorted(records)}}


def _model_out(record: Mapping[str, Any]) -> dict[str, Any]:
    """What failed, or is on its way out, is not declared."""
    staying = [one for one in record.get("versions", ()) if _stays(one)]
    names = {one["version"] for one in staying}
    parts = {
        "versions": [_version_out(one) for one in staying],
        "aliases": {alias: named for alias, named in (record.get("aliases") or {}).items() if named in names},
        "weights": {name: weight for name, weight in (record.get("weights") or {}).items() if name in names},
        **{part: record.get(part) or {} for part in ("policy", "limits", "lanes", "streams")},
        "shadow": shadow if (shadow := shadow_of(record)).get("version") in names else {},
    }
    return {name: part for name, part in parts.items() if part or name == "versions"}


def shadow_of(record: Mapping[str, Any]) -> dict[str, Any]:
    """The version that gets copies; nothing while those are a rollout's own."""
    rollout = record.get("rollout") or {}
    if rollout.get("state") == "running" and "max_disagreement" in (rollout.get("guards") or {}):
        return {}
    shares = {version: one["percent"] for version, one in (record.get("shadow") or {}).items() if one.get("percent")}
    return next(({"version": version, "percent": percent} for version, percent in shares.items()), {})


def _stays(one: Mapping[str, Any]) -> bool:
    return one.get("state") != "failed" and (one.get("state") != "draining" or "unloaded_by" in one)


def _version_out(one: Mapping[str, Any]) -> dict[str, Any]:
    out = {"version": one["version"], "uri": one.get("uri", "")}
    out |= {name: one[name] for name in ("runtime", "config") if one.get(name)}
    if bool(one.get("pinned")) != bool((one.get("config") or {}).get("pinned")):
        out["pinned"] = bool(one.get("pinned"))
    if one.get("route") is False:
        out["route"] = False
    if one.get("unloaded_by") == "request":
        out["loaded"] = False
    return out


def read_document(said: object) -> dict[str, Model]:
    """The models that a file declares. Raises `InvalidRequest` that names what is not right in it."""
    top = _object("the file", said, ("scurry", "models"))
    if top.get("scurry", FORMAT) != FORMAT:
        raise _bad(f"scurry must be {FORMAT}, the form of file that this version knows")
    models = _object("models", top.get("models"), None)
    return {_name(f"model {name!r}", name): _model(str(name), one) for name, one in models.items()}


def _model(name: str, said: object) -> Model:
    fields = _object(name, said, _MODEL)
    listed = fields.get("versions", [])
    if not isinstance(listed, list):
        raise _bad(f"{name}.versions must be a list")
    versions = [_version(f"{name}.versions[{at}]", one) for at, one in enumerate(listed)]
    if len({one.version for one in versions}) < len(versions):
        raise _bad(f"{name}.versions names a version twice")
    aliases = _object(f"{name}.aliases", fields.get("aliases", {}), None)
    weights = _object(f"{name}.weights", fields.get("weights", {}), None)
    for version, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or not 0 <= weight < 2**31:
            raise _bad(f"{name}.weights.{version} must be a whole number from 0 to {2**31 - 1}")
    if weights and not any(weights.values()):
        raise _bad(f"{name}.weights needs at least one weight above 0")
    return Model(
        versions,
        {_name(f"{name}.aliases", alias): _name(f"{name}.aliases.{alias}", to) for alias, to in aliases.items()},
        {_name(f"{name}.weights", version): weight for version, weight in weights.items() if weight},
        _policy(f"{name}.policy", fields.get("policy", {})),
        _limits(f"{name}.limits", fields.get("limits", {})),
        _object(f"{name}.lanes", fields.get("lanes", {}), ("min", "max")),
        _streams(f"{name}.streams", fields.get("streams", {})),
        _shadow(f"{name}.shadow", fields.get("shadow", {})),
    )


def _shadow(where: str, said: object) -> dict[str, Any]:
    """A version and a percentage."""
    fields = _object(where, said, ("version", "percent"))
    percent = fields.get("percent")
    if fields and (isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 < percent <= 100):
        raise _bad(f"{where}.percent must be a number above 0 and up to 100")
    return {"version": _name(f"{where}.version", fields.get("version", "")), "percent": percent} if fields else {}


def _streams(where: str, said: object) -> dict[str, bool]:
    """Each stream, and whether what comes by it has a batch dimension."""
    streams = _object(where, said, None)
    flags = {str(one): _object(f"{where}.{one}", of, ("batched",)).get("batched", False) for one, of in streams.items()}
    for one, flag in flags.items():
        if not isinstance(flag, bool):
            raise _bad(f"{where}.{one}.batched must be true or false")
    return flags


def _policy(where: str, said: object) -> dict[str, Any]:
    """The policy as the registry shows it."""
    policy = _object(where, said, ("latest", "all", "specific"))
    return policy_view(parse_policy(where, policy)) if policy else {}


def _limits(where: str, said: object) -> dict[str, Any]:
    """The limits as the registry shows them; whether their numbers make sense is the registry's to say."""
    limits = dict(_object(where, said, None))
    if "tenants" in limits:
        tenants = _object(f"{where}.tenants", limits["tenants"], None)
        limits["tenants"] = {who: _tenant(f"{where}.tenants.{who}", one) for who, one in tenants.items()}
    return {part: value for part, value in limits.items() if value}


def _tenant(where: str, said: object) -> dict[str, float]:
    fields = _object(where, said, ("rate", "burst"))
    for part, number in fields.items():
        if isinstance(number, bool) or not isinstance(number, int | float):
            raise _bad(f"{where}.{part} must be a number")
    rate = float(fields.get("rate", 0))
    return {"rate": rate, "burst": float(fields.get("burst") or max(1.0, math.ceil(rate)))}


def _version(where: str, said: object) -> Version:
    fields = _object(where, said, _VERSION)
    uri, runtime, config = fields.get("uri"), fields.get("runtime", ""), fields.get("config", {})
    uri = uri or (NO_FILE if runtime == ENSEMBLE_RUNTIME else "")
    if not isinstance(uri, str) or not uri or not isinstance(runtime, str):
        raise _bad(f"{where} needs a uri, and runtime must be text")
    flags = {name: fields[name] for name in ("pinned", "route", "loaded") if name in fields}
    for name, flag in flags.items():
        if not isinstance(flag, bool):
            raise _bad(f"{where}.{name} must be true or false")
    try:
        config = json.loads(json.dumps(_object(f"{where}.config", config, None)))
    except (TypeError, ValueError) as failure:
        raise _bad(f"{where}.config is nothing that JSON can hold ({failure})") from None
    if "pool" in fields:
        config["pool"] = _pool(f"{where}.pool", fields["pool"])
    return Version(_name(f"{where}.version", fields.get("version", "")), uri, runtime, config, **flags)


def _pool(where: str, said: object) -> str:
    """As part of the version's options, where the registry reads it."""
    if not isinstance(said, str) or not POOL_NAME.fullmatch(said):
        raise _bad(f"{where} must be the name of a pool of workers: {SAY}")
    return said


def _object(where: str, said: object, known: Sequence[str] | None) -> dict[Any, Any]:
    if not isinstance(said, dict):
        raise _bad(f"{where} must be an object")
    unknown = sorted(str(name) for name in said if known is not None and name not in known)
    if unknown:
        raise _bad(f"{where} has no field {unknown[0][:64]!r}; it has {', '.join(known or ())}")
    return said


def _name(where: str, said: object) -> str:
    """YAML reads a version such as 1 as a number."""
    name = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if not MODEL_NAME.fullmatch(name):
        raise _bad(f"{where}: {said!r} is no name: letters, digits, '.', '_' and '-', at most 128")
    return name


def _bad(what: str) -> InvalidRequest:
    return InvalidRequest("bad_request", f"Declaration: {what}.")
