"""Register, list, show and change models."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from dataclasses import asdict
from typing import Any

from scurry.cli import register, rollout
from scurry.cli.connecting import add_json, add_redis, client
from scurry.cli.flags import number
from scurry.cli.output import emit, progress, table
from scurry.cli.traffic import traffic_lines
from scurry.settings import between
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.messages_pb2 import Alias, Promote, Rollback, Shadow, Split, Unregister, Update

PERCENT = ("a number above 0 and up to 100", lambda value: 0 < value <= 100)
CHANGE = 100
"""Characters of a change that are shown."""
EXAMPLE = """examples:
  scurry models register digits --uri ./digits.onnx
  scurry models split digits 1=90 2=10
  scurry models shadow digits 3 --percent 5
  scurry models rollout digits 3 --steps 1,10,100 --hold 10m --max-error-rate 0.01
  scurry models list"""


def add(parser: argparse.ArgumentParser) -> None:
    """The verbs of `scurry models`."""
    verbs = parser.add_subparsers(dest="act", required=True, metavar="VERB")
    register.add(_verb(verbs, "register", "add a version of a model and wait until it answers", register.run))
    one = _verb(verbs, "list", "every model and its versions", list_models)
    _limited(one, 0, "so many models, the first by name; 0 is all of them")
    one.add_argument("--after", metavar="NAME", default="", help="only models after this one, by name")
    _named(verbs, "show", "all that is known about a model", show)
    one = _named(verbs, "history", "what was asked of the registry for a model, and what came of it", history)
    _limited(one, 20, "so many changes, the newest first (20); 0 is all that are kept")
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
    _named(verbs, "rollback", "back to the shares before the last change", change)
    one = _named(verbs, "shadow", "copy requests to a version that no caller hears of, and compare its answers", change)
    one.add_argument("version", metavar="VERSION", nargs="?", default="", help="version or alias; not with --off")
    one.add_argument("--percent", type=number("--percent", PERCENT, float), default=10.0, help="share to copy (10)")
    one.add_argument("--off", action="store_true", help="copy no more")
    rollout.add(_named(verbs, "rollout", "give a version its share by steps, or none if it is no good", rollout.run))


def run(args: argparse.Namespace) -> int:
    """Run the verb; the last line of each is its result."""
    status: int = asyncio.run(args.verb_run(args))
    return status


def _verb(verbs: Any, name: str, summary: str, verb_run: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse's
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary, description=summary.capitalize() + ".")
    parser.set_defaults(verb_run=verb_run)
    add_redis(parser)
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
    text = table(("MODEL", "VERSION", "STATE", "SHARE", "RUNTIME", "URI"), rows) if rows else nothing
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


async def history(args: argparse.Namespace) -> int:
    """The changes of one model, the newest first."""
    async with client(args) as asker:
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
    verb, fields = next(iter(update.items()), ("", {}))
    said = fields.items() if isinstance(fields, dict) else ()
    return " ".join([verb, *(f"{name}={_brief(value)}" for name, value in said if value)])[:CHANGE]


def _brief(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))


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
        "shadow": lambda: {"shadow": shadow_of(args)},
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
        if not version or not weight.isdecimal():
            raise InvalidRequest("bad_request", f"{word!r} is not VERSION=WEIGHT with a whole number, such as 2=10.")
        weights[version] = int(weight)
    return weights


def version_rows(name: str, record: dict[str, Any]) -> list[tuple[object, ...]]:
    """Lines of the table for one model's record."""
    routes: dict[str, int] = record.get("routes") or {}
    total = sum(routes.values()) or 1
    return [
        (
            name,
            one["version"],
            one.get("state", ""),
            f"{100 * routes.get(one['version'], 0) / total:.0f} %",
            one.get("runtime", ""),
            one.get("uri", ""),
        )
        for one in record.get("versions", ())
    ]


def describe(name: str, record: dict[str, Any]) -> str:
    """A model's record as text."""
    lines = [table(("MODEL", "VERSION", "STATE", "SHARE", "RUNTIME", "URI"), version_rows(name, record))]
    lines += [f"alias {alias} is version {version}" for alias, version in (record.get("aliases") or {}).items()]
    for one in record.get("versions", ()):
        if one.get("reason"):
            lines.append(f"version {one['version']}: {one['reason']}")
        lines += [f"version {one['version']} warning: {sentence}" for sentence in one.get("warnings") or ()]
        signature = one.get("signature") or {}
        for kind in ("inputs", "outputs"):
            lines += [
                f"version {one['version']} {kind[:-1]} {tensor_text(tensor)}" for tensor in signature.get(kind, ())
            ]
    return "\n".join([*lines, *traffic_lines(record)])


def tensor_text(tensor: dict[str, Any]) -> str:
    """`x FP32 [?, 16]`."""
    shape = ", ".join("?" if dim < 0 else str(dim) for dim in map(int, tensor.get("shape", ())))
    return f"{tensor.get('name')} {tensor.get('datatype')} [{shape}]"
