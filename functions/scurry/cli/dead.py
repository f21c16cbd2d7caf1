"""Requests that could not be served: look at them, send them again."""

from __future__ import annotations

import argparse
import asyncio

from scurry.cli.connecting import add_json, add_redis, client
from scurry.cli.flags import number
from scurry.cli.output import emit, table
from scurry.client.dead import DeadLetter, find, newest, redrive
from scurry.rules import between

EXAMPLE = """examples:
  scurry dead list
  scurry dead redrive 1700000000000-0"""

_LONG = 200


def add(parser: argparse.ArgumentParser) -> None:
    """The verbs of `scurry dead`."""
    verbs = parser.add_subparsers(dest="act", required=True, metavar="VERB")
    one = verbs.add_parser("list", help="the newest first")
    one.add_argument(
        "--count",
        type=number("--count", between(1, 1_000_000), int),
        default=50,
        metavar="N",
        help="at most so many (50)",
    )
    one.set_defaults(verb_run=list_letters)
    two = verbs.add_parser("show", help="one with all its fields")
    two.add_argument("entry", metavar="ID", help="as `list` shows it")
    two.set_defaults(verb_run=show)
    three = verbs.add_parser("redrive", help="send again, each under a new request id")
    three.add_argument("entries", metavar="ID", nargs="+", help="as `list` shows them")
    three.set_defaults(verb_run=send_again)
    for each in (one, two, three):
        add_redis(each)
        add_json(each)


def run(args: argparse.Namespace) -> int:
    """Run the verb."""
    status: int = asyncio.run(args.verb_run(args))
    return status


async def list_letters(args: argparse.Namespace) -> int:
    """One line each."""
    async with client(args) as asker:
        letters = await newest(asker, args.count)
    rows = [(one.entry, one.text("model"), one.text("id"), one.attempts, one.cause) for one in letters]
    text = table(("ID", "MODEL", "REQUEST", "ATTEMPTS", "CAUSE"), rows) if rows else "There are no dead letters."
    emit(args, [as_json(one) for one in letters], text)
    return 0


async def show(args: argparse.Namespace) -> int:
    """Every field of one."""
    async with client(args) as asker:
        letter = await find(asker, args.entry)
    fields = [(name.decode(errors="replace"), shown(value)) for name, value in letter.fields.items()]
    head = f"{letter.entry}: {letter.cause} ({letter.attempts} attempts)"
    emit(args, as_json(letter), f"{head}\n{table(('FIELD', 'VALUE'), fields)}")
    return 0


async def send_again(args: argparse.Namespace) -> int:
    """Each becomes a new request."""
    sent = {}
    async with client(args) as asker:
        for entry in args.entries:
            sent[entry] = await redrive(asker, await find(asker, entry))
    emit(args, sent, table(("ID", "SENT AS"), list(sent.items())))
    return 0


def as_json(letter: DeadLetter) -> dict[str, object]:
    """A dead letter for machines; bytes that are no text are shown with escapes."""
    fields = {
        name.decode(errors="replace"): value.decode(errors="backslashreplace") for name, value in letter.fields.items()
    }
    return {"entry": letter.entry, "cause": letter.cause, "attempts": letter.attempts, "fields": fields}


def shown(value: bytes) -> str:
    """A field's value, cut when it is long."""
    text = value.decode(errors="backslashreplace")
    return text if len(text) <= _LONG else f"{text[:_LONG]}… ({len(value)} bytes)"
