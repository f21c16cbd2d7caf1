"""API keys of the gateway: made, and the file of them checked."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime
from pathlib import Path

from scurry.cli.flags import number
from scurry.cli.output import complain, emit, table
from scurry.gateway.keys import SCOPES, InvalidKeys, Key, new_key, read_keys
from scurry.rules import between

EXAMPLE = """examples:
  scurry keys new ci --scope infer,read --models 'digits*' --expires 2027-06-30
  scurry keys check /etc/scurry/keys"""


def add(parser: argparse.ArgumentParser) -> None:
    """The verbs of `scurry keys`."""
    verbs = parser.add_subparsers(dest="act", required=True, metavar="VERB")
    one = verbs.add_parser("new", help="a new key, and the line for the file of --api-keys")
    one.add_argument("name", metavar="NAME", help="who it is for; several keys may share one")
    one.add_argument("--scope", default="infer,read", help=f"{', '.join(SCOPES)}, with commas between (infer,read)")
    one.add_argument("--models", default="", metavar="PATTERNS", help="only for these models, with commas between")
    one.add_argument("--tenant", default="", metavar="NAME", help="whose rate its requests count against")
    one.add_argument("--expires", default="", metavar="DATE", help="such as 2027-06-30 or 2027-06-30T12:00:00Z")
    one.add_argument(
        "--max-in-flight", default=0, metavar="N", help="requests at a time, in each gateway process; 0: any",
        type=number("--max-in-flight", between(0, 9_999_999), int),
    )  # fmt: skip
    one.set_defaults(verb_run=new)
    two = verbs.add_parser("check", help="what a file of keys says")
    two.add_argument("file", metavar="FILE", help="the file of --api-keys")
    two.set_defaults(verb_run=check)
    for each in (one, two):
        each.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    try:
        status: int = args.verb_run(args)
    except InvalidKeys as cause:
        return complain(args, "bad_request", str(cause))
    return status


def new(args: argparse.Namespace) -> int:
    """The key stands nowhere else: whoever loses it makes another."""
    more = {"models": args.models, "tenant": args.tenant, "expires": args.expires}
    if args.max_in_flight:
        more["max_in_flight"] = str(args.max_in_flight)
    key, line = new_key(args.name, args.scope, more)
    text = f"key   {key}\nline  {line}\n\nGive the key to {args.name}: it is shown only now. Add the line to the file."
    emit(args, {"key": key, "line": line}, text)
    return 0


def check(args: argparse.Namespace) -> int:
    """One line each."""
    try:
        keys = list(read_keys(Path(args.file).read_text(encoding="utf-8")).values())
    except UnicodeDecodeError:
        return complain(args, "bad_request", f"{args.file} is not UTF-8.")
    rows = [(one.name, ",".join(sorted(one.scopes)), ",".join(one.models) or "all", one.tenant, expiry(one))
            for one in keys]  # fmt: skip
    text = table(("NAME", "SCOPES", "MODELS", "TENANT", "EXPIRES"), rows) if rows else "There are no keys in it."
    emit(args, [dict(zip(("name", "scopes", "models", "tenant", "expires"), row, strict=True)) for row in rows], text)
    return 0


def expiry(key: Key) -> str:
    """Until when a key does."""
    if key.expires == float("inf"):
        return "never"
    when = datetime.fromtimestamp(key.expires, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return f"{when} (over)" if key.expires <= time.time() else when
