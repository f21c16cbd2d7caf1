"""Make the registry as a file declares it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence

from scurry.cli import yaml_files
from scurry.cli.connecting import client
from scurry.cli.output import emit, note, progress, say, table
from scurry.client.applying import Taken, carry_out
from scurry.client.declared import read_document
from scurry.client.difference import difference

EXAMPLE = """examples:
  scurry models apply models.json --dry-run
  scurry models apply models.json --prune --yes"""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models apply`."""
    parser.add_argument("file", metavar="FILE", help="what `scurry models export` printed, JSON or YAML; - reads stdin")
    parser.add_argument("--dry-run", action="store_true", help="only print what would change")
    parser.add_argument("--prune", action="store_true", help="unregister what the file does not declare")
    parser.add_argument("--yes", action="store_true", help="do not ask; nobody is asked where this is no terminal")


async def run(args: argparse.Namespace) -> int:
    """Print the difference, carry it out, and print what was done; applied again it changes nothing."""
    wanted = read_document(yaml_files.read(args.file))
    async with client(args) as asker:
        plans = difference(wanted, await asker.models(), prune=args.prune)
        taken = {name: [Taken(step) for step in steps] for name, steps in plans.items()}
        if not plans:
            emit(args, [], f"Nothing to change: all is as {args.file} declares it ({len(wanted)} models).")
            return 0
        if not args.json:
            say(as_table(taken, outcome=False))
        if args.dry_run or not agreed(args):
            emit(args, as_json(taken), "Nothing was changed.")
            return 0
        async with progress(args, lambda: remaining(taken)):
            await carry_out(asker, taken)
    failed = [one for steps in taken.values() for one in steps if one.outcome != "done"]
    emit(args, as_json(taken), as_table(taken, outcome=True))
    if failed and not args.json:
        note("scurry: some of it was not done; mend what is named and apply the file again.")
    return 1 if failed else 0


def agreed(args: argparse.Namespace) -> bool:
    """Whether whoever sits at a terminal wants it."""
    if args.yes or args.json or args.file == "-" or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return True
    return input("Carry this out? [y/N] ").strip().lower() in {"y", "yes"}


def remaining(taken: Mapping[str, Sequence[Taken]]) -> str:
    """What is being waited for."""
    left = [one.step for steps in taken.values() for one in steps if one.outcome == "not done"]
    return f"{len(left)} changes to make, next {left[0].change} of {left[0].model}" if left else "done"


def as_table(taken: Mapping[str, Sequence[Taken]], *, outcome: bool) -> str:
    """A line for each change."""
    steps = [one for name in sorted(taken) for one in taken[name]]
    if outcome:
        rows = [(one.step.model, one.step.change, one.step.what, one.outcome) for one in steps]
        return table(("MODEL", "CHANGE", "WHAT", "OUTCOME"), rows)
    return table(("MODEL", "CHANGE", "WHAT"), [(one.step.model, one.step.change, one.step.what) for one in steps])


def as_json(taken: Mapping[str, Sequence[Taken]]) -> list[dict[str, str]]:
    """The same for machines."""
    return [
        {"model": name, "change": one.step.change, "what": one.step.what, "outcome": one.outcome}
        for name in sorted(taken)
        for one in taken[name]
    ]
