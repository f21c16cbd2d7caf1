"""Register, list, show and change models."""

from __future__ import annotations

import argparse
import asyncio
from typing import Any

from scurry.cli import apply, export, history, limits, register, rollout, scan, streams
from scurry.cli.connecting import add_json, add_redis, add_url, client
from scurry.cli.flags import number
from scurry.cli.output import emit, progress, table
from scurry.cli.records import describe, version_rows
from scurry.rules import between
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.messages_pb2 import (
    Alias,
    LoadVersion,
    Pin,
    Policy,
    Promote,
    Rollback,
    Shadow,
    Split,
    UnloadVersion,
    Unregister,
    Update,
)

PERCENT = ("a number above 0 and up to 100", lambda value: 0 < value <= 100)
MOST_WEIGHT = 2**31 - 1
OWN: dict[str, tuple[Any, str]] = {
    "register": (register, "add a version of a model and wait until it answers"),
    "history": (history, "what was asked of the registry for a model, and what came of it"),
    "export": (export, "the registry as a file declares it, now or as it was"),
    "apply": (apply, "make the registry as a file declares it"),
    "scan": (scan, "register what a repository holds, once or as it grows"),
}
"""Verbs with a file of their own."""
EXAMPLE = """examples:
  scurry models register digits --uri ./digits.onnx
  scurry models split digits 1=90 2=10
  scurry models policy digits --latest 2
  scurry models unload digits 1
  scurry models pin digits 2
  scurry models export > models.json
  scurry models apply models.json --dry-run
  scurry models scan ./models --watch
  scurry models shadow digits 3 --percent 5
  scurry models rollout digits 3 --steps 1,10,100 --hold 10m --max-error-rate 0.01
  scurry models limits digits --max-queue-size 100 --default-timeout 2s --max-timeout 30s --tenant acme=5:20
  scurry models lanes digits --min 1 --max 4
  scurry models bind digits serving_stream
  scurry models list"""


def add(parser: argparse.ArgumentParser) -> None:
    """The verbs of `scurry models`."""
    verbs = parser.add_subparsers(dest="act", required=True, metavar="VERB")
    one = _verb(verbs, "list", "every model and its versions", list_models)
    _limited(one, 0, "so many models, the first by name; 0 is all of them")
    one.add_argument("--after", metavar="NAME", default="", help="only models after this one, by name")
    _named(verbs, "show", "all that is known about a model", show)
    for name, (module, summary) in OWN.items():
        one = _verb(verbs, name, summary, module.run)
        one.epilog, one.formatter_class = getattr(module, "EXAMPLE", None), argparse.RawDescriptionHelpFormatter
        module.add(one)
    one = _named(verbs, "unregister", "let a version, or the whole model, finish and drop it", change)
    one.add_argument("--version", default="", help="version to drop; all of them without it")
    one.add_argument("--force", action="store_true", help="also what takes requests, or what an alias stands for")
    one = _named(verbs, "alias", "a second name for a version", change)
    one.add_argument("alias", metavar="ALIAS", help="the name, for instance stable")
    one.add_argument("version", metavar="VERSION", nargs="?", default="", help="what it stands for; nothing: forget it")
    one = _named(verbs, "split", "share requests between versions", change)
    one.add_argument("weights", metavar="VERSION=WEIGHT", nargs="+", help="for instance 1=90 2=10")
    one = _named(verbs, "promote", "give all requests that name no version to one version", change)
    one.add_argument("version", metavar="VERSION", help="version or alias")
    _named(verbs, "rollback", "back to the routes before the last change; again, and it goes further back", change)
    limits.add_limits(_named(verbs, "limits", "what its requests may take, in place of the former limits", change))
    limits.add_lanes(_named(verbs, "lanes", "on how many lanes each version computes", change))
    streams.add(_named(verbs, "bind", "answer what Cluster Serving's clients write to a stream", change))
    _trial(verbs)
    _memory(verbs)


def _trial(verbs: Any) -> None:  # noqa: ANN401
    """The verbs that try a version out."""
    one = _named(verbs, "shadow", "copy requests to a version that no caller hears of, and compare its answers", change)
    one.add_argument("version", metavar="VERSION", nargs="?", default="", help="version or alias; not with --off")
    one.add_argument("--percent", type=number("--percent", PERCENT, float), default=10.0, help="share to copy (10)")
    one.add_argument("--off", action="store_true", help="copy no more")
    rollout.add(_named(verbs, "rollout", "give a version its share by steps, or none if it is no good", rollout.run))


def _memory(verbs: Any) -> None:  # noqa: ANN401
    """The verbs that say what is in memory."""
    one = _versioned(verbs, "load", "bring a registered version into memory and wait until it answers")
    one = _versioned(verbs, "unload", "take a version out of memory; it stays registered, requests for it are refused")
    one.add_argument("--force", action="store_true", help="also what takes requests, or what an alias stands for")
    one = _versioned(verbs, "pin", "have workers keep a version in memory, whatever else wants room there")
    one.add_argument("--off", action="store_true", help="no longer")
    one = _named(verbs, "policy", "which of the registered versions are in memory", change)
    group = one.add_mutually_exclusive_group(required=True)
    latest = number("--latest", between(1, 1_000_000), int)
    group.add_argument("--latest", type=latest, metavar="N", help="so many, those registered last")
    group.add_argument("--all", action="store_true", help="every one")
    group.add_argument("--specific", nargs="+", metavar="VERSION", help="these")


def _versioned(verbs: Any, name: str, summary: str) -> argparse.ArgumentParser:  # noqa: ANN401
    parser = _named(verbs, name, summary, change)
    parser.add_argument("version", metavar="VERSION", help="version or alias")
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the verb; the last line of each is its result."""
    status: int = asyncio.run(args.verb_run(args))
    return status


def _verb(verbs: Any, name: str, summary: str, verb_run: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(verb_run=verb_run)
    add_redis(parser)
    add_url(parser)
    add_json(parser)
    return parser


def _named(verbs: Any, name: str, summary: str, verb_run: Any) -> argparse.ArgumentParser:  # noqa: ANN401
    parser = _verb(verbs, name, summary, verb_run)
    parser.add_argument("name", metavar="NAME", help="the model")
    return parser


def _limited(parser: argparse.ArgumentParser, default: int, text: str) -> None:
    reader = number("--limit", between(0, 1_000_000), int)
    parser.add_argument("--limit", type=reader, default=default, metavar="N", help=text)


async def list_models(args: argparse.Namespace) -> int:
    """Every model and version, one line each."""
    async with client(args) as asker:
        view = await asker.models(limit=args.limit, after=args.after)
    rows = [row for name in sorted(view) for row in version_rows(name, view[name])]
    nothing = f"No model comes after {args.after!r}." if args.after else "No models are registered."
    text = table(("MODEL", "VERSION", "STATE", "SHARE", "RUNTIME", "POOL", "URI"), rows) if rows else nothing
    emit(args, [view[name] for name in sorted(view)], text)
    return 0


async def show(args: argparse.Namespace) -> int:
    """Everything about one model."""
    async with client(args) as asker:
        record = await asker.record(args.name)
    if record is None:
        raise NotFound("model_not_found", f"No model {args.name!r} is registered.")
    emit(args, record, describe(args.name, record))
    return 0


async def change(args: argparse.Namespace) -> int:
    """One change to one model; prints its versions as they stand then."""
    update = update_of(args)
    async with client(args) as asker, progress(args, lambda: f"waiting for {args.act} of {args.name}"):
        record = await asker.update(update, timeout=120)
    rows = version_rows(args.name, record)
    emit(args, record, describe(args.name, record) if rows else f"{args.name} is not registered any more.")
    return 0


def update_of(args: argparse.Namespace) -> Update:
    """The registry message that the arguments stand for."""
    changes: dict[str, Any] = {
        "unregister": lambda: {"unregister": Unregister(version=args.version, force=args.force)},
        "alias": lambda: {"alias": Alias(alias=args.alias, version=args.version)},
        "split": lambda: {"split": Split(weights=parse_weights(args.weights))},
        "promote": lambda: {"promote": Promote(version=args.version)},
        "rollback": lambda: {"rollback": Rollback()},
        "load": lambda: {"load": LoadVersion(version=args.version)},
        "unload": lambda: {"unload": UnloadVersion(version=args.version, force=args.force)},
        "pin": lambda: {"pin": Pin(version=args.version, pinned=not args.off)},
        "policy": lambda: {"policy": Policy(latest=args.latest or 0, all=args.all, specific=args.specific or ())},
        "limits": lambda: {"limits": limits.limits_of(args)},
        "lanes": lambda: {"lanes": limits.lanes_of(args)},
        "shadow": lambda: {"shadow": shadow_of(args)},
        "bind": lambda: {"bind": streams.bind_of(args)},
    }
    return Update(model=args.name, **changes[args.act]())


def shadow_of(args: argparse.Namespace) -> Shadow:
    """A version and its percent, or none. Raises `InvalidRequest` unless it is exactly one of both."""
    if args.off == bool(args.version):
        raise InvalidRequest("bad_request", "Name the version that gets copies, or say --off.")
    return Shadow(version=args.version, percent=0 if args.off else args.percent)


def parse_weights(words: list[str]) -> dict[str, int]:
    """`1=90 2=10` as weights. Raises `InvalidRequest`."""
    weights: dict[str, int] = {}
    for word in words:
        version, _, weight = word.rpartition("=")
        if not version or not weight.isdecimal() or len(weight) > 10 or int(weight) > MOST_WEIGHT:
            sentence = f"{word!r} is not VERSION=WEIGHT with a whole number up to {MOST_WEIGHT}, such as 2=10."
            raise InvalidRequest("bad_request", sentence)
        if version in weights:
            raise InvalidRequest("bad_request", f"Version {version!r} is given two weights.")
        weights[version] = int(weight)
    return weights
