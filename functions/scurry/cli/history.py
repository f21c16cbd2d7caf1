"""What was asked of the registry for a model, and what came of it."""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict
from typing import Any

from scurry.cli.connecting import client
from scurry.cli.export import HELP_AT, epoch_of, records_at
from scurry.cli.flags import number
from scurry.cli.output import emit, table
from scurry.cli.records import describe
from scurry.rules import between
from scurry.wire.errors import NotFound

EXAMPLE = """examples:
  scurry models history digits --limit 5
  scurry models history digits --at 2026-11-26T20:00"""
CHANGE = 100
"""Characters of a change that are shown."""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models history`."""
    parser.add_argument("name", metavar="NAME", help="the model")
    limit = number("--limit", between(0, 1_000_000), int)
    parser.add_argument(
        "--limit", type=limit, default=20, metavar="N", help="so many changes, the newest first (20); 0 is all kept"
    )
    parser.add_argument("--at", metavar="TIME", help=f"in place of the changes show the record, {HELP_AT}")


async def run(args: argparse.Namespace) -> int:
    """The changes of one model, the newest first; or the record as it was at a time."""
    async with client(args) as asker:
        if args.at is not None:
            record = (await records_at(asker, epoch_of(args.at))).get(args.name)
            if record is None:
                raise NotFound("model_not_found", f"No model {args.name!r} was registered then, as far as is kept.")
            emit(args, record, describe(args.name, record))
            return 0
        changes = await asker.history(args.name, limit=args.limit)
    rows = [(one.sequence, _local(one.when), _change(one.update), one.outcome) for one in changes]
    text = table(("NUMBER", "WHEN", "CHANGE", "OUTCOME"), rows) if rows else f"No change of {args.name!r} is kept."
    emit(args, [asdict(one) for one in changes], text)
    return 0


def _local(epoch_s: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(epoch_s))


def _change(update: dict[str, Any] | str) -> str:
    """`register version=2 uri=/models`: the verb and what was said with it, not more than fits a line."""
    if isinstance(update, str):
        return update[:CHANGE]
    parts = [(verb, fields if isinstance(fields, dict) else {}) for verb, fields in update.items()]
    parts = [part for part in parts if part[1]] if len(parts) > 1 else parts
    said = [[verb, *(f"{name}={_brief(value)}" for name, value in fields.items() if value)] for verb, fields in parts]
    return ", ".join(map(" ".join, said))[:CHANGE]


def _brief(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
