"""Register what a repository holds, once or as it grows."""

from __future__ import annotations

import argparse
import asyncio

from scurry.cli.connecting import client
from scurry.cli.flags import SECONDS, number
from scurry.cli.looking import Look, Watcher
from scurry.cli.output import emit, note, table
from scurry.cli.repository import LOAD_S
from scurry.client.client import Client
from scurry.serving.folder import expanded
from scurry.wire.errors import InvalidRequest, ScurryError
from scurry.wire.messages_pb2 import Update

EXAMPLE = """example:
  scurry models scan ./models --watch --interval 5"""
Done = tuple[str, str, str]


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models scan`."""
    parser.add_argument("repository", metavar="REPO", help="directory of NAME/VERSION/…, as Triton has it")
    parser.add_argument("--watch", action="store_true", help="go on looking, until interrupted")
    parser.add_argument(
        "--interval", type=number("--interval", SECONDS), default=2.0, metavar="S",
        help="seconds between two looks (2); files that changed between them are still being copied",
    )  # fmt: skip
    parser.add_argument("--prune", action="store_true", help="unregister what came from here and vanished")


async def run(args: argparse.Namespace) -> int:
    """Look twice at least, and register what was the same both times."""
    path = expanded(args.repository)
    if not path.is_dir():
        raise InvalidRequest("bad_request", f"There is no directory {path}.")
    watcher = Watcher(path.resolve(), prune=args.prune)
    done: list[Done] = []
    async with client(args) as asker:
        if not args.watch:
            done = await _until_settled(asker, watcher, args.interval)
        while args.watch:
            try:
                await _round(asker, watcher)
            except (ScurryError, OSError) as failure:  # nothing was seen: the next look may find it
                note(f"scurry: {failure}")
            await asyncio.sleep(args.interval)
    for model, version in watcher.empty:
        note(f"scurry: {model} version {version} has no files, or one that leads nowhere: it is left out")
    nothing = f"All of {path} is registered." if watcher.seen else f"{path} holds no models: looked for NAME/VERSION/…"
    rows = table(("MODEL", "CHANGE", "OUTCOME"), done) if done else nothing
    emit(args, [dict(zip(("model", "change", "outcome"), one, strict=True)) for one in done], rows)
    return 1 if any(outcome != "done" for *_, outcome in done) else 0


async def _until_settled(asker: Client, watcher: Watcher, interval: float) -> list[Done]:
    """Two looks at least, and more while files change."""
    done = await _round(asker, watcher)
    while True:
        await asyncio.sleep(interval)
        done += await _round(asker, watcher)
        if not watcher.unsettled:
            return done


async def _round(asker: Client, watcher: Watcher) -> list[Done]:
    """One look, and what is to be done about it; models side by side, the versions of one in order."""
    look = await asyncio.to_thread(Look.at, watcher.root)
    updates = await asyncio.to_thread(watcher.updates, look, await asker.models())
    by_model: dict[str, list[Update]] = {}
    for update in updates:
        by_model.setdefault(update.model, []).append(update)
    parts = await asyncio.gather(*(_carry_out(asker, each) for each in by_model.values()))
    return [one for part in parts for one in part]


async def _carry_out(asker: Client, updates: list[Update]) -> list[Done]:
    done: list[Done] = []
    for update in updates:
        what = said(update)
        try:
            await asker.update(update, timeout=LOAD_S)
            outcome = "done"
        except ScurryError as failure:
            outcome = f"{failure.code}: {failure.message}"
        note(f"{update.model}: {what}: {outcome}")
        done.append((update.model, what, outcome))
    return done


def said(update: Update) -> str:
    """`register version 3`."""
    verb = update.WhichOneof("change") or "policy"
    version = getattr(getattr(update, verb), "version", "")
    return f"{verb} version {version}" if version else f"{verb} {update.json}".rstrip()
