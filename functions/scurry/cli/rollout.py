"""Give a version its share step by step, or none if it is no good."""

from __future__ import annotations

import argparse
from typing import Any, Final

from scurry.cli.connecting import client
from scurry.cli.flags import number
from scurry.cli.output import emit, progress
from scurry.rules import InvalidSettings, above_0, between
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.messages_pb2 import Rollout, Update

UNITS: Final = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000}
RATE: Final = between(0, 1, "a number")


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models rollout`."""
    parser.add_argument("version", metavar="VERSION", nargs="?", default="", help="version or alias to roll out")
    parser.add_argument(
        "--steps", type=steps, default=[], metavar="P,P", help="percent of the requests, step by step (1,5,25,100)"
    )
    parser.add_argument(
        "--hold", type=duration, default=0, metavar="TIME", help="how long a step holds, such as 30s, 10m, 1h (10m)"
    )
    parser.add_argument(
        "--min-requests", type=number("--min-requests", between(1, 1 << 30), int), default=0, metavar="N",
        help="answers of the version that a step needs, and that a guard judges by (100)",
    )  # fmt: skip
    _guard(parser, "--max-error-rate", RATE, "share of its requests that may fail, such as 0.01")
    _guard(parser, "--max-latency-ratio", above_0(1000), "its mean latency to that of the others, such as 1.5")
    _guard(parser, "--max-disagreement", RATE, "share of copied requests that it may answer otherwise")
    _guard(parser, "--compare", above_0(100), "percent of the others' requests to copy for that (10)")
    parser.add_argument("--status", action="store_true", help="only tell where the rollout stands")
    parser.add_argument("--abort", action="store_true", help="end it: back to the shares before")


def _guard(parser: argparse.ArgumentParser, flag: str, rule: Any, text: str) -> None:  # noqa: ANN401 - a Rule
    parser.add_argument(flag, type=number(flag, rule, float), metavar="R", help=text)


def steps(text: str) -> list[float]:
    """`1,5,25,100` as numbers. Raises `InvalidSettings`."""
    try:
        return [float(word) for word in text.split(",")]
    except ValueError:
        sentence = f"--steps takes percentages with commas between, such as 1,5,25,100, not {text[:80]!r}."
        raise InvalidSettings(sentence) from None


def duration(text: str) -> int:
    """`10m` in milliseconds. Raises `InvalidSettings`."""
    digits = text.rstrip("hms")
    unit = UNITS.get(text[len(digits) :])
    if unit is None or not digits.isdecimal() or not int(digits):
        raise InvalidSettings(f"--hold takes a time such as 30s, 10m or 1h, not {text[:80]!r}.")
    return int(digits) * unit


async def run(args: argparse.Namespace) -> int:
    """Begin a rollout, end it, or tell where it stands. It goes on by itself."""
    async with client(args) as asker:
        if args.status:
            record = await asker.record(args.name)
            if record is None:
                raise NotFound("model_not_found", f"No model {args.name!r} is registered.")
        else:
            update = Update(model=args.name, rollout=plan_of(args))
            async with progress(args, lambda: f"waiting for the rollout of {args.name}"):
                record = await asker.update(update, timeout=120)
    found = record.get("rollout")
    emit(args, found, rollout_line(found) if found else f"No version of {args.name} was rolled out.")
    return 0


def plan_of(args: argparse.Namespace) -> Rollout:
    """The rollout that the arguments stand for. Raises `InvalidRequest`."""
    if args.abort == bool(args.version):
        raise InvalidRequest("bad_request", "Name the version to roll out, or say --abort or --status.")
    return Rollout(
        version=args.version, steps=args.steps, hold_ms=args.hold, min_requests=args.min_requests, abort=args.abort,
        max_error_rate=args.max_error_rate, max_latency_ratio=args.max_latency_ratio,
        max_disagreement=args.max_disagreement, compare_percent=args.compare,
    )  # fmt: skip


def rollout_line(one: dict[str, Any]) -> str:
    """One sentence on a rollout."""
    state, step = one["state"].replace("_", " "), f"step {one['step']} of {len(one['steps'])} ({one['percent']:g} %)"
    return f"rollout of version {one['version']}: {state}, {step}. {one.get('message', '')}".rstrip()
