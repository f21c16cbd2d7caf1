"""`scurry bench`: a load generator over Redis, HTTP or gRPC."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import orjson
import uvloop

from scurry.bench.figures import Figures
from scurry.bench.requests import Input
from scurry.bench.run import Bench, Shape
from scurry.cli.connecting import add_redis, place
from scurry.cli.flags import SECONDS, checked, number, several
from scurry.cli.output import complain, note, say, table
from scurry.rules import above_0, between
from scurry.wire.tensors import DTYPES

EXAMPLE = "example: scurry bench digits --callers 1,8,64 --seconds 10"

INPUT: Final = "NAME:DATATYPE:SHAPE such as x:FP32:1x16"

COLUMNS: Final = {
    "door": "door",
    "load": "load",
    "models": "models",
    "bytes": "bytes",
    "per_second": "requests/s",
    "p50_ms": "p50 ms",
    "p90_ms": "p90 ms",
    "p99_ms": "p99 ms",
    "max_ms": "max ms",
    "failed": "errors",
    "generator_us": "generator µs",
    "generator_percent": "core %",
    "late_p99_ms": "late p99 ms",
}
DIGITS: Final = {"p50_ms": 2, "p90_ms": 2, "p99_ms": 2, "max_ms": 1, "generator_us": 1, "late_p99_ms": 1}


def _input(text: str) -> Input:
    """`x:FP32:1x16`. Raises `ValueError`."""
    name, datatype, shape = text.rsplit(":", 2)
    if datatype not in DTYPES or not name:
        raise ValueError(datatype)
    return Input(name, datatype, tuple(int(dim) for dim in shape.split("x")))


def _is_gateway(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("http", "https", "grpc") and bool(parts.hostname) and parts.port != 0


def _is_key(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text


OPTIONS: Final[dict[str, tuple[Any, Callable[[str], Any], str, str]]] = {
    "--callers": ([64], several("--callers", 1, 100_000), "N,N…",
        "closed loop: callers that wait for their answer (64); 1,8,64 runs three"),
    "--rate": (0.0, number("--rate", above_0(10_000_000)), "RATE",
        "open loop: requests per second at random (Poisson) times"),
    "--seconds": (10.0, number("--seconds", SECONDS), "SECONDS", "time measured (10)"),
    "--warm-up": (2.0, number("--warm-up", between(0, 86400, "a number")), "SECONDS",
        "time before that, not measured (2)"),
    "--zipf": (0.0, number("--zipf", between(0, 10, "a number")), "EXPONENT",
        "how unevenly models are asked; 0 is evenly, 1.1 as on the web"),
    "--rows": (1, number("--rows", between(1, 1_000_000), int), "ROWS",
        "rows in one request, where the model takes many"),
    "--payload-bytes": (0, number("--payload-bytes", between(0, 1 << 30), int), "BYTES",
        "bytes a row, where the model leaves that free"),
    "--url": (None, checked("--url", "http://host:port, https://host:port or grpc://host:port", _is_gateway), "URL",
        "the gateway, for --door http or grpc (http://127.0.0.1:8000, grpc://127.0.0.1:8001)"),
    "--api-key": ("", checked("--api-key", "a key", _is_key), "KEY", "API key to show, for --door http"),
    "--tls-ca": ("", str, "FILE", "who signed the gateway's certificate (default: whom the system trusts)"),
}  # fmt: skip
"""Default, reader, unit and help of each flag with a value."""

SCHEMES: Final = {"http": ("http", "https"), "grpc": ("grpc",)}
"""What the url of each door may begin with."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry bench`."""
    parser.add_argument("models", nargs="+", metavar="MODEL", help="registered models; `*` and `?` stand for many")
    parser.add_argument("--version", default="", help="version to ask (default: the model's own choice)")
    for flag, (default, reader, metavar, text) in OPTIONS.items():
        parser.add_argument(flag, default=default, type=reader, metavar=metavar, help=text)
    parser.add_argument(
        "--input", action="append", default=[], type=checked("--input", INPUT, _input), metavar="INPUT",
        help="NAME:DATATYPE:1x16, when the model is not in the view",
    )  # fmt: skip
    parser.add_argument("--door", choices=("redis", "http", "grpc"), default="redis", help="the way in (default redis)")
    parser.add_argument("--json-tensors", action="store_true", help="tensors as lists in JSON, for --door http")
    parser.add_argument("--json", nargs="?", const=True, metavar="FILE", help="JSON, to FILE or instead of the table")
    add_redis(parser)


def run(args: argparse.Namespace) -> int:
    """Run the load; 0 when every request got one good answer."""
    if args.json_tensors and args.door != "http":
        return complain(args, "bad_request", "--json-tensors is for --door http: over Redis there is no JSON.")
    if args.url and args.door != "redis" and urlsplit(args.url).scheme not in SCHEMES[args.door]:
        return complain(args, "bad_request", f"--url {args.url} is not for --door {args.door}.")
    measured = uvloop.run(bench(args).run(shapes(args), (lambda _: None) if args.json else note))
    rows = [one.row() for one in measured]
    if args.json is True:
        say(orjson.dumps(rows).decode())
    else:
        if args.json:
            Path(args.json).write_bytes(orjson.dumps(rows, option=orjson.OPT_INDENT_2))
        say(lines(rows))
        for one in measured:
            _complain(one)
    return 1 if any(one.failed for one in measured) else 0


def bench(args: argparse.Namespace) -> Bench:
    """The load generator that the arguments stand for."""
    url, namespace = place(args, os.environ)
    return Bench(
        models=args.models, redis_url=url, namespace=namespace, url=door_url(args),
        lists=args.json_tensors, api_key=args.api_key, tls_ca=args.tls_ca,
        version=args.version, inputs=[_input(text) for text in args.input], rows=args.rows, size=args.payload_bytes,
        zipf=args.zipf, warm_up=args.warm_up, seconds=args.seconds,
    )  # fmt: skip


def door_url(args: argparse.Namespace) -> str:
    """Where the door is that was asked for; empty: Redis."""
    if args.door == "redis":
        return ""
    return args.url or {"http": "http://127.0.0.1:8000", "grpc": "grpc://127.0.0.1:8001"}[args.door]


def shapes(args: argparse.Namespace) -> list[Shape]:
    """Each load asked for."""
    return [Shape(rate=args.rate)] if args.rate else [Shape(callers=count) for count in args.callers]


def lines(rows: Sequence[dict[str, Any]]) -> str:
    """Figures as a table for people."""
    return table(list(COLUMNS.values()), [[_shown(row[name], name) for name in COLUMNS] for row in rows])


def _shown(value: object, name: str) -> object:
    if not isinstance(value, float):
        return value
    return round(value, DIGITS[name]) if name in DIGITS else round(value)


def _complain(one: Figures) -> None:
    if one.verdict:
        say(f"{one.load}: {one.verdict}")
    if one.failed:
        errors = "".join(f"{count} × {code}, " for code, count in one.errors.items())
        note(f"{one.load}: {errors}{one.lost} never answered, {one.strays} answers to nobody.")
