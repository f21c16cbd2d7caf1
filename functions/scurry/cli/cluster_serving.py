"""Registers the models and binds the streams of such files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from scurry.cli.cluster_config import ClusterConfig, Served, read
from scurry.cli.output import note
from scurry.cli.repository import LOAD_S, READY
from scurry.client.client import Client
from scurry.wire.errors import ScurryError
from scurry.wire.messages_pb2 import Bind, Register, Update


def read_all(files: str) -> ClusterConfig:
    """What files say, with commas between their names; of several the last Redis holds. Raises `InvalidRequest`."""
    whole = ClusterConfig()
    for file in filter(None, files.split(",")):
        one = read(file)
        whole.served += one.served
        whole.notes += one.notes
        whole.redis_url = one.redis_url or whole.redis_url
    whole.served = _named(whole.served)
    return whole


def _named(served: Sequence[Served]) -> list[Served]:
    """What a job serves, under the name that the front end's file has for its stream."""
    named = list(served)
    for job in [one for one in served if one.uri and one.stream]:
        servable = next((one for one in named if not one.uri and one.stream == job.stream), None)
        if servable is not None:
            named.remove(servable)
            named[named.index(job)] = replace(job, model=servable.model, version=servable.version)
    return named


async def serve_all(served: Sequence[Served], redis_url: str, namespace: str) -> int:
    """Register all, then bind; what fails is said, and the others go on. Returns how many failed."""
    failed: list[Served] = []
    async with Client(redis_url, namespace=namespace) as client:
        view = await client.models()
        for one in served:
            if one.uri and not _is_there(one, view):
                note(f"registering {one.model} version {one.version}")
                change = Update(model=one.model, register=_registration(one))
                failed += [one] if not await _done(client, change) else ()
        for one in served:
            if one.stream and one not in failed:
                change = Update(model=one.model, bind=Bind(stream=one.stream, batched=one.batched))
                failed += [one] if not await _done(client, change) else ()
    return len(failed)


async def _done(client: Client, change: Update) -> bool:
    """Whether a change was made; if not, it is said why."""
    try:
        await client.update(change, timeout=LOAD_S)
    except ScurryError as failure:
        note(f"scurry: {change.model}: {failure}")
        return False
    return True


def _registration(one: Served) -> Register:
    config = json.dumps(one.config) if one.config else ""
    return Register(version=one.version, uri=one.uri, runtime=one.runtime, config=config)


def _is_there(one: Served, view: dict[str, dict[str, Any]]) -> bool:
    """Whether this very version answers, with what the file says of it now."""
    wanted = (one.version, one.uri, dict(one.config))
    return any(
        (each["version"], each.get("uri"), each.get("config") or {}) == wanted
        and each["state"] == READY
        and one.runtime in {"", each.get("runtime")}
        for each in view.get(one.model, {}).get("versions", ())
    )
