"""One load after the other, each from warm-up to figures."""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import orjson

from scurry.bench.doors import HttpDoor, RedisDoor, ask
from scurry.bench.figures import Figures, figures
from scurry.bench.grpc_door import GrpcDoor
from scurry.bench.load import Load
from scurry.bench.requests import Input, Subject, grpc_message, http_request, inputs_of, prepare, subject, zipf_choices
from scurry.redis.address import Address
from scurry.redis.connection import Connection, connect
from scurry.wire.errors import NotFound, Unavailable
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import OwnPayloads, found

DRAWS: Final = 1 << 17
"""Models are drawn once, this many, and then from the start again."""

CLOSE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Shape:
    """How hard to ask: `callers` that wait for their answer, or a `rate` at random times; the other is 0."""

    callers: int = 0
    rate: float = 0.0

    def __str__(self) -> str:
        return f"{self.rate:,.0f}/s" if self.rate else f"{self.callers} callers"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """What is asked, through which door, for how long."""

    models: Sequence[str]
    redis_url: str
    namespace: str
    url: str = ""  # of the gateway, http:// or grpc://; empty: over Redis
    lists: bool = False  # tensors in JSON, over HTTP
    api_key: str = ""
    tls_ca: str = ""  # a file of those whose certificates are trusted; empty: the system's
    version: str = ""
    inputs: Sequence[Input] = ()
    rows: int = 1
    size: int = 0
    zipf: float = 0.0
    warm_up: float = 2.0
    seconds: float = 10.0

    @property
    def keys(self) -> Keys:
        """The keys of the namespace."""
        return Keys(self.namespace)

    async def run(self, shapes: Sequence[Shape], tell: Callable[[str], None]) -> list[Figures]:
        """The figures of each load."""
        redis = await connect(Address.parse(self.redis_url), lambda *_: None, _refused)
        try:
            subjects = await self._subjects(redis)
            partitions = int(await ask(redis, "GET", self.keys.partitions) or 1)
            shared = found(await ask(redis, "GET", self.keys.shared_payloads) or b"")
        finally:
            redis.close()
        measured = []
        for shape in shapes:
            tell(f"{shape} on {len(subjects)} model(s), {self.warm_up:g} + {self.seconds:g} s …")
            measured.append(await self._measure(shape, subjects, partitions, shared))
        return measured

    async def _subjects(self, redis: Connection) -> list[Subject]:
        if self.inputs:
            inputs = dict.fromkeys(self.models, self.inputs)
        else:
            view = await ask(redis, "HGETALL", self.keys.models)
            records = {name.decode(): record for name, record in zip(view[::2], view[1::2], strict=True)}
            inputs = {
                name: inputs_of(orjson.loads(records[name]), self.version) for name in chosen(self.models, records)
            }
        return [subject(name, self.version, ones, rows=self.rows, size=self.size) for name, ones in inputs.items()]

    async def _measure(
        self, shape: Shape, subjects: Sequence[Subject], partitions: int, shared: Path | None
    ) -> Figures:
        number, count = random.getrandbits(48), len(subjects)
        door = self._door(number, shape.callers or max(64, int(shape.rate * 0.05)), subjects, partitions, shared)
        choices = zipf_choices(count, self.zipf, DRAWS if count > 1 else 1, number)
        load = Load(door, choices, number, callers=shape.callers, rate=shape.rate)
        await door.open(load.answers)
        try:
            tally = await load.run(self.warm_up, self.seconds)
        finally:
            await asyncio.wait_for(door.close(), CLOSE_S)
        if door.failure:
            raise Unavailable("unavailable", f"The load was cut off: {door.failure}.")
        name = urlsplit(self.url).scheme or "redis"
        return figures(tally, door=name, load=str(shape), models=count, size=subjects[0].size)

    def _door(
        self, number: int, connections: int, subjects: Sequence[Subject], partitions: int, shared: Path | None = None
    ) -> RedisDoor | HttpDoor | GrpcDoor:
        parts = urlsplit(self.url)
        if parts.scheme == "grpc":
            messages = [grpc_message(one) for one in subjects]
            return GrpcDoor(parts.hostname or "127.0.0.1", parts.port or 8001, messages, connections)
        if self.url:
            parts = urlsplit(self.url)
            is_tls = parts.scheme == "https"
            context = ssl.create_default_context(cafile=self.tls_ca or None) if is_tls else None
            posts = [http_request(one, parts.netloc, lists=self.lists, api_key=self.api_key) for one in subjects]
            port = parts.port or (443 if is_tls else 80)
            return HttpDoor(parts.hostname or "127.0.0.1", port, posts, connections, context)
        reply = self.keys.replies(f"bench-{number:012x}")
        requests = [prepare(one, self.keys, reply, partitions) for one in subjects]
        own = OwnPayloads(shared, f"{number:012x}") if shared is not None else None
        return RedisDoor(self.redis_url, reply, requests, own)


def _refused(text: str) -> Exception:
    return Unavailable("unavailable", f"Redis says: {text}")


def chosen(patterns: Sequence[str], records: Mapping[str, bytes]) -> list[str]:
    """Registered models that the patterns name. Raises `NotFound` when there is none."""
    names = sorted(name for name in records if any(fnmatchcase(name, pattern) for pattern in patterns))
    if not names:
        raise NotFound("model_not_found", f"No registered model is called {' or '.join(patterns)}.")
    return names
