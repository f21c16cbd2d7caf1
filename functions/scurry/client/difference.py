"""The messages that make models as a file declares them.

They come in an order that drops no request:

1. The policy makes room: nothing that is wanted may be kept out of memory, or taken out of it, on the way.
2. New versions are registered; where the file has shares, they take no request before those are put in force.
3. Shares and aliases change in one message, once all that they name is ready.
4. What is not declared, or not to be in memory, may go; then the policy is put in force.

Pure. What is as declared already takes no message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from scurry.client.declared import Model, Version, shadow_of
from scurry.wire.messages_pb2 import (
    Bind,
    LoadVersion,
    Pin,
    Register,
    Switch,
    UnloadVersion,
    Unregister,
    Update,
)

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One registry message, and how a person reads it."""

    model: str
    change: str
    what: str
    update: Update


def difference(
    wanted: Mapping[str, Model], present: Mapping[str, Record], *, prune: bool = False
) -> dict[str, Sequence[Step]]:
    """The steps for each model that is not as declared; with `prune`, what nobody declares goes."""
    plans = {name: _steps(name, model, present.get(name, {}), prune=prune) for name, model in wanted.items()}
    if prune:
        for name in sorted(present.keys() - wanted.keys()):
            plans[name] = [Step(name, "unregister", "the whole model", Update(model=name, unregister=Unregister()))]
    return {name: steps for name, steps in plans.items() if steps}


def _steps(name: str, model: Model, record: Record, *, prune: bool) -> list[Step]:
    present = {one["version"]: one for one in record.get("versions", ())}
    new = [one for one in model.versions if _is_new(one, present.get(one.version))]
    final = model.policy or _undeclared(record.get("policy") or {}, prune=prune)
    gone = [version for version in present if prune and version not in {one.version for one in model.versions}]
    unloaded = [one.version for one in model.versions if _unloads(one, present.get(one.version))]
    needed = _needed(model, going=bool(gone or unloaded))
    asleep = _to_load(model, record, {one.version for one in new}, needed)
    way = _on_the_way(record, final, [one.version for one in new], [*needed, *asleep])
    steps = [_policy(name, way)] if way else []
    steps += [_register(name, one, present.get(one.version), shared=bool(model.weights)) for one in new]
    steps += [_pin(name, one) for one in model.versions if _pins(one, {} if one in new else present[one.version])]
    steps += [_load(name, version) for version in asleep]
    steps += _routes(name, model, record, _kept_away(model, present), prune=prune)
    steps += [_unregister(name, version) for version in gone]
    steps += [_unload(name, version) for version in unloaded]
    if final != (way or record.get("policy") or {}) and final:
        steps.append(_policy(name, final))
    for verb, wanted in (("limits", model.limits), ("lanes", model.lanes)):
        now = record.get(verb) or {}
        if (wanted or prune) and wanted != now:
            steps.append(_told(name, verb, wanted))
    if (model.shadow or prune) and model.shadow != shadow_of(record):
        steps.append(_told(name, "shadow", model.shadow))
    return steps + _streams(name, model, record, prune=prune)


def _streams(name: str, model: Model, record: Record, *, prune: bool) -> list[Step]:
    """Streams are given back before others are asked for."""
    now = {one: bool(of.get("batched")) for one, of in (record.get("streams") or {}).items()}
    binds = [Bind(stream=one, unbind=True) for one in now if prune and one not in model.streams]
    binds += [Bind(stream=one, batched=flag) for one, flag in model.streams.items() if now.get(one) is not flag]
    return [Step(name, "unbind" if one.unbind else "bind", one.stream, Update(model=name, bind=one)) for one in binds]


def _needed(model: Model, *, going: bool) -> Sequence[str]:
    """Versions that have to be ready on the way: those with a share, and the heir of what goes."""
    heirs = [one.version for one in model.versions if one.loaded and one.route][-1:]
    return [*model.weights, *(heirs if going else ())]


def _is_new(one: Version, now: Record | None) -> bool:
    """Whether it has to be registered: it is not there, failed, or is something else."""
    if now is None or now.get("state") == "failed":
        return True
    here = (now.get("uri"), now.get("runtime"), now.get("config") or {})
    return here != (one.uri, one.runtime or now.get("runtime"), dict(one.config))


def _undeclared(policy: Mapping[str, Any], *, prune: bool) -> Mapping[str, Any]:
    """What becomes of a policy that the file does not name."""
    return {"all": True} if policy and prune else policy


def _on_the_way(
    record: Record, final: Mapping[str, Any], new: Sequence[str], needed: Sequence[str]
) -> Mapping[str, Any]:
    """The policy to have meanwhile; nothing when the present one does."""
    policy: Mapping[str, Any] = record.get("policy") or {}
    if not policy or "all" in policy:
        return {}
    if "all" in final:
        return final
    ready = [one["version"] for one in record["versions"] if one.get("state") == "ready"]
    missing = [version for version in needed if version not in ready or version in new]
    if not missing and (not new or ("latest" in policy and not needed)):  # a new one would push out what is needed
        return {}
    return {"specific": list(dict.fromkeys([*ready, *new, *missing]))}


def _to_load(model: Model, record: Record, new: set[str], needed: Sequence[str]) -> list[str]:
    """Versions that are not ready, not new, and to be: because they are needed, or the file says so."""
    away = ("registered", "loading")
    asleep = {one["version"]: one for one in record.get("versions", ()) if one.get("state") in away}
    return [
        one.version
        for one in model.versions
        if one.version in asleep.keys() - new
        and one.loaded
        and (one.version in needed or asleep[one.version].get("unloaded_by") != "policy")
    ]


def _kept_away(model: Model, present: Mapping[str, Record]) -> list[str]:
    """Versions that were registered without a route, or are about to be, and of which the file says no such thing."""
    shared = bool(model.weights)
    return [
        one.version
        for one in model.versions
        if one.route and one.version not in model.weights
        and (present[one.version].get("route") is False if one.version in present else shared)
    ]  # fmt: skip


def _routes(name: str, model: Model, record: Record, routed: Sequence[str], *, prune: bool) -> list[Step]:
    now: Mapping[str, str] = record.get("aliases") or {}
    aliases = {alias: version for alias, version in model.aliases.items() if now.get(alias) != version}
    if prune:
        aliases |= dict.fromkeys(now.keys() - model.aliases.keys(), "")
    shares = model.weights if model.weights and model.weights != (record.get("weights") or {}) else {}
    if not (aliases or shares or routed):
        return []
    said = [f"{version}={weight}" for version, weight in shares.items()]
    said += [f"{alias} → {version or 'nothing'}" for alias, version in sorted(aliases.items())]
    switch = Switch(weights=dict(shares), aliases=aliases, routed=routed)
    return [Step(name, "routes", ", ".join(said or ["no change of shares"]), Update(model=name, routes=switch))]


def _register(name: str, one: Version, now: Record | None, *, shared: bool) -> Step:
    register = Register(version=one.version, uri=one.uri, runtime=one.runtime)
    register.config = json.dumps(dict(one.config), sort_keys=True) if one.config else ""
    if now is None and (shared or not one.route):
        register.route = False
    what = "replace" if now is not None and now.get("state") != "failed" else "register"
    return Step(name, what, f"version {one.version} from {one.uri}", Update(model=name, register=register))


def _pins(one: Version, now: Record) -> bool:
    pinned = now.get("pinned", one.config.get("pinned", False))
    return one.pinned is not None and one.pinned != bool(pinned)


def _pin(name: str, one: Version) -> Step:
    pin = Pin(version=one.version, pinned=bool(one.pinned))
    return Step(name, "pin" if one.pinned else "unpin", f"version {one.version}", Update(model=name, pin=pin))


def _policy(name: str, policy: Mapping[str, Any]) -> Step:
    return _told(name, "policy", policy)


def _told(name: str, verb: str, fields: Mapping[str, Any]) -> Step:
    """One message that puts what it says in place of what was."""
    return Step(name, verb, json.dumps(dict(fields)), Update(model=name, json=json.dumps({verb: dict(fields)})))


def _load(name: str, version: str) -> Step:
    return Step(name, "load", f"version {version}", Update(model=name, load=LoadVersion(version=version)))


def _unloads(one: Version, now: Record | None) -> bool:
    return not one.loaded and (now or {}).get("unloaded_by") != "request"


def _unload(name: str, version: str) -> Step:
    unload = UnloadVersion(version=version, force=True)  # the file says so
    return Step(name, "unload", f"version {version}", Update(model=name, unload=unload))


def _unregister(name: str, version: str) -> Step:
    unregister = Unregister(version=version, force=True)
    return Step(name, "unregister", f"version {version}", Update(model=name, unregister=unregister))
