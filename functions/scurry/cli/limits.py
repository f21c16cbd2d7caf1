"""What a model's requests may take, and how many lanes it has."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any, Final

from scurry.cli.flags import checked, number
from scurry.rules import Rule, between
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import LaneRange, Limits, TenantLimit
from scurry.wire.names import MOST_LANES

UNITS: Final = {"us": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
"""What may stand behind a number, in microseconds; nothing is seconds."""
RULE: Final[Rule] = ("a time such as 250ms, 2s or 5m", lambda text: micros(text) is not None)


def add_limits(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models limits`; what is left out is not limited."""
    size = number("--max-queue-size", between(1, 2**31 - 1), int)
    parser.add_argument("--max-queue-size", type=size, default=0, metavar="N", help="requests that may wait a version")
    parser.add_argument("--default-timeout", type=checked("--default-timeout", *RULE), default="0", metavar="TIME",
                        help="of requests without a deadline, such as 2s")  # fmt: skip
    parser.add_argument("--max-timeout", type=checked("--max-timeout", *RULE), default="0", metavar="TIME",
                        help="of any request, such as 30s")  # fmt: skip
    parser.add_argument("--tenant", action="append", default=[], metavar="NAME=RATE[:BURST]",
                        help="requests a second of a tenant, and at once; '*' is all others together")  # fmt: skip


def add_lanes(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models lanes`; without any, the number is the config's."""
    for flag, text in (("--min", "lanes that are always there"), ("--max", "lanes that a backlog may bring it to")):
        parser.add_argument(flag, type=number(flag, between(1, MOST_LANES), int), default=0, metavar="N", help=text)


def limits_of(args: argparse.Namespace) -> Limits:
    """The limits that the arguments stand for. Raises `InvalidRequest`."""
    return Limits(
        max_queue_size=args.max_queue_size,
        default_timeout_microseconds=micros(args.default_timeout),
        max_timeout_microseconds=micros(args.max_timeout),
        tenants=dict(map(tenant_of, args.tenant)),
    )


def lanes_of(args: argparse.Namespace) -> LaneRange:
    """The lanes that the arguments stand for."""
    return LaneRange(min=args.min, max=args.max)


def tenant_of(word: str) -> tuple[str, TenantLimit]:
    """`acme=5:20` as a limit. Raises `InvalidRequest`."""
    name, _, numbers = word.rpartition("=")
    rate, _, burst = numbers.partition(":")
    try:
        limit = TenantLimit(rate=float(rate), burst=float(burst or 0))
    except ValueError:
        name = ""
    if not name:
        raise InvalidRequest("bad_request", f"{word!r} is not NAME=RATE or NAME=RATE:BURST, such as acme=5:20.")
    return name, limit


def micros(text: str) -> int | None:
    """Microseconds of `250ms`, `2s`, `1.5`; None for what is no time."""
    figure = text.rstrip("umsh")
    unit = text[len(figure) :] or "s"
    try:
        return round(float(figure) * UNITS[unit]) if 0 <= float(figure) < 1e9 else None
    except (ValueError, KeyError):
        return None


def described(record: Mapping[str, Any]) -> list[str]:
    """Limits and lanes of a record as lines of text."""
    lines = []
    limits = record.get("limits")
    for name, value in limits.items() if isinstance(limits, dict) else ():
        if name == "tenants":
            lines += [f"tenant {who}: {one['rate']:g} a second, {one['burst']:g} at once" for who, one in value.items()]
        elif name.endswith("_microseconds"):
            lines.append(f"{name.removesuffix('_microseconds')} {value / 1e6:g} s")
        else:
            lines.append(f"{name} {value}")
    return lines


def lanes_text(version: Mapping[str, Any]) -> str:
    """`version 1 lanes 2 (1 to 4)`; empty for a record that does not say."""
    lanes = version.get("lanes")
    if not isinstance(lanes, dict):
        return ""
    return f"version {version['version']} lanes {lanes['count']} ({lanes['min']} to {lanes['max']})"
