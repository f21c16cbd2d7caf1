"""`scurry bench`: a load generator over Redis or HTTP."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

import orjson
import uvloop

from scurry.cli.bench_doors import HttpDoor, RedisDoor, ask
from scurry.cli.bench_load import Load
from scurry.cli.bench_report import Figures, figures, lines
from scurry.cli.bench_requests import (
    Input,
    Subject,
    http_request,
    inputs_of,
    stream_commands,
    subject,
    zipf_choices,
)
from scurry.cli.connecting import add_redis, place
from scurry.cli.output import note, say
from scurry.client.address import Address
from scurry.client.connection import Connection, connect
from scurry.wire.errors import NotFound, Unavailable
from scurry.wire.names import Keys

DRAWS = 1 << 17
"""Models are drawn once, this many, and then from the start again."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry bench`."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="registered models; `*` and `?` stand for many")
    parser.add_argument("--version", default="", help="version to ask (default: the model's own choice)")
    parser.add_argument(
        "--callers", default="64", help="closed loop: callers that wait for their answer; 1,8,64 runs three"
    )
    parser.add_argument(
        "--rate", type=float, default=0.0, help="open loop: requests per second at random (Poisson) times"
    )
    parser.add_argument("--seconds", type=float, default=10.0, help="time measured (default 10)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="time before that, not measured (default 2)")
    parser.add_argument(
        "--zipf", type=float, default=0.0, help="how unevenly models are asked; 0 is evenly, 1.1 as on the web"
    )
    parser.add_argument("--rows", type=int, default=1, help="rows in one request, where the model takes many")
    parser.add_argument("--payload-bytes", type=int, default=0, help="bytes a row, where the model leaves that free")
    parser.add_argument(
        "--input", action="append", default=[], help="NAME:DATATYPE:1x16, when the model is not in the view"
    )
    parser.add_argument("--door", choices=("redis", "http"), default="redis", help="the way in (default redis)")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="the gateway, for --door http")
    parser.add_argument("--json", nargs="?", const=True, metavar="FILE", help="JSON, to FILE or instead of the table")
    add_redis(parser)


def run(args: argparse.Namespace) -> int:
    """Run the load; 0 when every request got one good answer."""
    measured = uvloop.run(_bench(args))
    rows = [one.row() for one in measured]
    if args.json is True:
        say(orjson.dumps(rows).decode())
        return 1 if any(one.failed for one in measured) else 0
    if args.json:
        Path(args.json).write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
    say(lines(rows))
    for one in measured:
        _complain(one)
    return 1 if any(one.failed for one in measured) else 0


def _complain(one: Figures) -> None:
    if one.verdict:
        say(f"{one.load}: {one.verdict}")
    if one.failed:
        errors = "".join(f"{count} × {code}, " for code, count in one.errors.items())
        note(f"{one.load}: {errors}{one.lost} never answered, {one.strays} answers to nobody.")


async def _bench(args: argparse.Namespace) -> list[Figures]:
    url, namespace = place(args, os.environ)
    keys = Keys(namespace)
    redis = await connect(Address.parse(url), lambda *_: None, RuntimeError)
    try:
        subjects = await _subjects(args, redis, keys)
        partitions = int(await ask(redis, "GET", keys.partitions) or 1)
    finally:
        redis.close()
    bench = Bench(args, url, subjects, keys, partitions)
    return [await bench.measure(*shape) for shape in _shapes(args)]


def _shapes(args: argparse.Namespace) -> list[tuple[int, float]]:
    """Callers and rate of each load asked for; one of the two is 0."""
    return [(0, args.rate)] if args.rate else [(int(count), 0.0) for count in args.callers.split(",")]


async def _subjects(args: argparse.Namespace, redis: Connection, keys: Keys) -> list[Subject]:
    rows, size = args.rows, args.payload_bytes
    if args.input:
        given = [_input(text) for text in args.input]
        return [subject(name, args.version, given, rows=rows, size=size) for name in args.models]
    view = await ask(redis, "HGETALL", keys.models)
    records = {name.decode(): record for name, record in zip(view[::2], view[1::2], strict=True)}
    names = sorted(name for name in records if any(fnmatchcase(name, pattern) for pattern in args.models))
    if not names:
        raise NotFound("model_not_found", f"No registered model is called {' or '.join(args.models)}.")
    return [
        subject(name, args.version, inputs_of(orjson.loads(records[name]), args.version), rows=rows, size=size)
        for name in names
    ]


def _input(text: str) -> Input:
    name, datatype, shape = text.rsplit(":", 2)
    return Input(name, datatype, tuple(int(dim) for dim in shape.split("x")))


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, and through which door."""

    args: argparse.Namespace
    redis_url: str
    subjects: list[Subject]
    keys: Keys
    partitions: int

    async def measure(self, callers: int, rate: float) -> Figures:
        """One load from warm-up to figures."""
        args, number, count = self.args, random.getrandbits(24), len(self.subjects)
        name = f"{rate:,.0f}/s" if rate else f"{callers} callers"
        if not args.json:
            note(f"{name} on {count} model(s), {args.warm_up:g} + {args.seconds:g} s …")
        door = self._door(number, callers or max(64, int(rate * 0.05)))
        choices = zipf_choices(count, args.zipf, DRAWS if count > 1 else 1, number)
        load = Load(door, choices, number, callers=callers, rate=rate)
        await door.open(load.answers)
        try:
            tally = await load.run(args.warm_up, args.seconds)
        finally:
            await asyncio.wait_for(door.close(), 10)
        if door.failure:
            raise Unavailable("unavailable", f"The load was cut off: {door.failure}.")
        return figures(tally, door=args.door, load=name, models=count, size=self.subjects[0].size)

    def _door(self, number: int, connections: int) -> RedisDoor | HttpDoor:
        if self.args.door == "http":
            parts = urlsplit(self.args.url)
            requests = [http_request(one, parts.netloc) for one in self.subjects]
            return HttpDoor(parts.hostname or "127.0.0.1", parts.port or 80, requests, connections)
        reply = self.keys.replies(f"bench-{number:06x}")
        commands = [stream_commands(one, self.keys, reply, self.partitions) for one in self.subjects]
        return RedisDoor(self.redis_url, reply, commands)
