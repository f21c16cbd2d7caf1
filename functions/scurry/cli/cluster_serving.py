"""Registers the models and binds the streams of such files."""

from __future__ import annotations

import json
from collections.abc import Sequence
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
    return whole


async def serve_all(served: Sequence[Served], redis_url: str, namespace: str) -> int:
    """Register and bind; what fails is said, and the others go on. Returns how many failed."""
    failed = 0
    async with Client(redis_url, namespace=namespace) as client:
        view = await client.models()
        for one in served:
            try:
                if one.uri and not _is_there(one, view):
                    note(f"registering {one.model} version {one.version}")
                    await client.update(Update(model=one.model, register=_registration(one)), timeout=LOAD_S)
                if one.stream:
                    await client.update(Update(model=one.model, bind=Bind(stream=one.stream, batched=one.batched)))
            except ScurryError as failure:
                note(f"scurry: {one.model}: {failure}")
                failed += 1
    return failed


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
