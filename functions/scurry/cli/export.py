"""The registry as a file declares it, now or as it was."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from scurry.cli.connecting import client
from scurry.cli.output import note, say
from scurry.cli.yaml_files import dump
from scurry.client.client import Client
from scurry.client.declared import document
from scurry.client.rebuild import rebuild, untold
from scurry.wire.errors import InvalidRequest, NotFound

EXAMPLE = """examples:
  scurry models export > models.json
  scurry models export digits --yaml --at 2026-11-26T20:00"""
HELP_AT = "as it was then: 2026-11-26T20:00 (local time, or with a zone), or epoch seconds"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models export`."""
    parser.add_argument("names", metavar="NAME", nargs="*", help="only these models")
    parser.add_argument("--at", metavar="TIME", help=HELP_AT)
    parser.add_argument("--yaml", action="store_true", help="print YAML in place of JSON")


async def run(args: argparse.Namespace) -> int:
    """Print a file that `scurry models apply` takes."""
    async with client(args) as asker:
        records = await (asker.models() if args.at is None else records_at(asker, epoch_of(args.at)))
    missing = sorted(set(args.names) - records.keys())
    if missing:
        raise NotFound("model_not_found", f"No model {missing[0]!r} is registered{' then' if args.at else ''}.")
    wanted = document({name: records[name] for name in args.names or records})
    say(dump(wanted) if args.yaml else json.dumps(wanted, indent=2, ensure_ascii=False))
    return 0


async def records_at(asker: Client, when: float) -> Mapping[str, Mapping[str, Any]]:
    """Every model's record as of a time; of which none is kept from then, is noted."""
    events = await asker.events()
    lost = untold(events, when)
    if lost:
        note(f"scurry: of {', '.join(lost)} nothing is kept from then: what the registry's stream tells begins later.")
    return rebuild(events, when, await asker.models())


def epoch_of(text: str) -> float:
    """A time as epoch seconds. Raises `InvalidRequest`."""
    try:
        return float(text) if text.replace(".", "", 1).isdecimal() else datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        now = time.strftime("%Y-%m-%dT%H:%M:%S")
        raise InvalidRequest("bad_request", f"{text!r} is no time: say {now}, or epoch seconds.") from None
