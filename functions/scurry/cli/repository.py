"""Model repositories: `<name>/<version>/<files>`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from scurry.cli.output import note
from scurry.client.client import Client
from scurry.runtimes.pbtxt import parse
from scurry.serving.folder import expanded
from scurry.wire.errors import InvalidRequest, ScurryError
from scurry.wire.messages_pb2 import ModelSpec, Register, Update
from scurry.wire.names import MODEL_NAME
from scurry.wire.policies import parse_policy, policy_view
from scurry.wire.queue_options import BATCHING, INSTANCES

READY = "ready"
LOAD_S = 600.0
READERS: Final[dict[str, Callable[[str], Any]]] = {"config.json": json.loads, "config.pbtxt": parse}
OF_REGISTRATION: Final = (BATCHING, INSTANCES, "pinned", "pool")
"""What router and registry read, who do not see the files."""


@dataclass(frozen=True, slots=True)
class Found:
    """One version in a repository."""

    model: str
    version: str
    uri: str


def versions(repository: Path, model: str) -> list[str]:
    """Versions of a model in a repository, the newest last: numbers by value, then names."""
    folder = repository / model
    if not folder.is_dir():
        return []
    names = [path.name for path in folder.iterdir() if path.is_dir() and MODEL_NAME.fullmatch(path.name)]
    return sorted(names, key=lambda name: (not name.isdecimal(), int(name) if name.isdecimal() else 0, name))


def scan(repository: Path) -> list[Found]:
    """Every version of every model in a repository."""
    folders = sorted(path.name for path in repository.iterdir() if path.is_dir() and not path.name.startswith("."))
    names = [name for name in folders if MODEL_NAME.fullmatch(name)]
    for name in set(folders) - set(names):
        note(f"{name!r} is left out: no model can be called so")
    return [
        Found(model, version, str(repository.resolve()))
        for model in names
        for version in versions(repository, model)
    ]  # fmt: skip


def _beside(folder: Path, *names: str) -> Iterator[dict[str, Any]]:
    """The configs in a directory that can be read."""
    for name in names:
        try:
            config = READERS[name]((folder / name).read_text())
        except (OSError, ValueError, InvalidRequest):
            continue
        if isinstance(config, dict):
            yield config


def policy_beside(folder: Path) -> dict[str, Any]:
    """The `version_policy` of a model's config, if it has one that makes sense."""
    for config in _beside(folder, *READERS):
        try:
            if (policy := config.get("version_policy")) is not None:
                return policy_view(parse_policy("version_policy", policy))
        except (ValueError, InvalidRequest):
            continue
    return {}


def holds_graph(folder: Path) -> bool:
    """Whether a model's config says that it is made of others."""
    return any("ensemble_scheduling" in config for config in _beside(folder, "config.pbtxt"))


def config_beside(found: Found) -> str:
    """What of the configs beside a version only has effect where the version is registered with it, as JSON."""
    model = Path(found.uri) / found.model
    told: dict[str, Any] = {}
    for config in (*_beside(model / found.version, *READERS), *_beside(model, "config.pbtxt")):
        told = {name: config[name] for name in OF_REGISTRATION if name in config} | told
    return json.dumps(told) if told else ""


def is_registered(found: Found, view: dict[str, dict[str, Any]]) -> bool:
    """Whether the view has this very version, from this place, with the files as they are now, in memory or not."""
    known = view.get(found.model, {}).get("versions", [])
    return any(
        one.get("version") == found.version
        and one.get("uri") == found.uri
        and (one.get("state") == READY or "unloaded_by" in one)
        and one.get("fingerprint", "") in ("", fingerprint(found, one.get("runtime", "")))
        for one in known
    )


def fingerprint(found: Found, runtime: str) -> str:
    """What its files hold, as a worker tells it; empty when they cannot be read."""
    from scurry.inference.opening import PipelineOpener  # noqa: PLC0415 - only for what is registered already
    from scurry.runtimes.catalog import Opener  # noqa: PLC0415

    spec = ModelSpec(uri=found.uri, runtime=runtime)
    try:
        return PipelineOpener(Opener()).find(found.model, found.version, spec).fingerprint
    except (ScurryError, OSError):
        return ""


def scan_or_say(repository: str) -> list[Found]:
    """What a repository given by a user holds. Raises `InvalidRequest` when it is not there."""
    path = expanded(repository)
    if not path.is_dir():
        raise InvalidRequest("bad_request", f"There is no directory {path} (--models).")
    found = scan(path)
    if not found:
        note(f"{path} holds no models: looked for NAME/VERSION/…")
    return found


async def register_all(found: list[Found], redis_url: str, namespace: str) -> int:
    """Register what is not registered yet; returns how many failed."""
    async with Client(redis_url, namespace=namespace) as client:
        view = await client.models()
        new = [one for one in found if not await asyncio.to_thread(is_registered, one, view)]
        by_model: dict[str, list[Found]] = {}
        for one in new:
            by_model.setdefault(one.model, []).append(one)
        failures = await asyncio.gather(*(_register_in_order(client, ones) for ones in by_model.values()))
        places = {one.model: Path(one.uri) / one.model for one in found}
        policies = {model: await asyncio.to_thread(policy_beside, place) for model, place in places.items()}
        changed = {model: said for model, said in policies.items() if said != view.get(model, {}).get("policy")}
        await asyncio.gather(*(_follow_policy(client, model, said) for model, said in changed.items()))
    return sum(failures)


async def _follow_policy(client: Client, model: str, policy: dict[str, Any]) -> None:
    """Tell the policy that lies beside a model."""
    try:
        if policy:
            await client.update(Update(model=model, json=json.dumps({"policy": policy})), timeout=LOAD_S)
    except ScurryError as exc:
        note(f"scurry: {model}: version_policy: {exc}")


def registration(found: Found) -> Update:
    """The message that registers it."""
    register = Register(version=found.version, uri=found.uri, config=config_beside(found))
    return Update(model=found.model, register=register)


async def _register_in_order(client: Client, ones: list[Found]) -> int:
    """Versions of one model, the newest last, because the newest takes the requests."""
    failed = 0
    for one in ones:
        note(f"registering {one.model} version {one.version}")
        try:
            await client.update(await asyncio.to_thread(registration, one), timeout=LOAD_S)
        except ScurryError as exc:
            note(f"scurry: {one.model} version {one.version}: {exc}")
            failed += 1
    return failed
