"""Add a version of a model, and wait until it answers."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
from typing import Any

from scurry.cli.beside import newest, place_of, told_beside
from scurry.cli.connecting import client
from scurry.cli.flags import SECONDS, checked, number
from scurry.cli.output import emit, note, progress, table
from scurry.client.client import Client
from scurry.rules import InvalidSettings
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Register, Update
from scurry.wire.names import ENSEMBLE_RUNTIME
from scurry.wire.pools import POOL_NAME


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models register`."""
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument(
        "--uri", default="", help="model file, directory of one model, or repository (NAME/VERSION/…) that holds it"
    )
    parser.add_argument(
        "--version", default="", help="its version; without it the newest in a repository, else one more than the last"
    )
    parser.add_argument("--runtime", default="", help="onnx, openvino, ensemble, …; else what the file's name says")
    parser.add_argument("--config", metavar="FILE", help="JSON file with the runtime's options")
    reader = checked("--pool", "the name of a pool", POOL_NAME.fullmatch)
    parser.add_argument("--pool", type=reader, help="pool of workers that holds it; else the one its config names")
    parser.add_argument(
        "--no-route", action="store_true", help="requests that name no version go on as before, until it is given some"
    )
    parser.add_argument("--no-wait", action="store_true", help="return once the message is sent")
    parser.add_argument(
        "--timeout", type=number("--timeout", SECONDS), default=600.0, metavar="S", help="seconds to wait (600)"
    )


async def run(args: argparse.Namespace) -> int:
    """Send the message and wait for the model; a failed one raises what was wrong with it."""
    update = Update(model=args.name, register=registration(args))
    async with client(args) as asker:
        if args.no_wait:
            entry = await asker.announce(update)
            emit(args, {"model": args.name, "entry": entry}, f"{args.name} is being registered (entry {entry}).")
            return 0
        watch = Watch(asker, args.name)
        async with watch, progress(args, watch.text):
            record = await asker.update(update, timeout=args.timeout)
    emit(args, record, registered(args.name, record))
    for sentence in warned(update.register.version, record):
        note(f"scurry: {args.name}: {sentence}")
    return 0


def registration(args: argparse.Namespace) -> Register:
    """What to register. A local path becomes absolute, because workers run elsewhere."""
    uri, version = args.uri, args.version
    if not uri and args.runtime != ENSEMBLE_RUNTIME:
        raise InvalidSettings("--uri is missing: only what is made of other models (--runtime ensemble) has none.")
    config = read_config(args.config)
    if place := place_of(uri):
        uri = uri if "://" in uri else str(place)
        version = version or newest(place, args.name, args.runtime, config)
        config = over(told_beside(place, args.name, version, args.runtime, config), config)
    register = Register(version=version, uri=uri, runtime=args.runtime, config=in_pool(config, args.pool))
    if args.no_route:
        register.route = False
    return register


def over(beside: dict[str, Any], config: str) -> str:
    """The options over those that lie beside the model, name by name."""
    return json.dumps({**beside, **json.loads(config or "{}")}) if beside else config


def read_config(file: str | None) -> str:
    """The JSON object in a file. Raises `InvalidRequest`."""
    if not file:
        return ""
    try:
        config = json.loads(Path(file).read_text())
    except OSError as exc:
        raise InvalidRequest("bad_request", f"{file} cannot be read: {exc.strerror}.") from None
    except ValueError as exc:
        raise InvalidRequest("bad_request", f"{file} is not JSON: {exc}.") from None
    if not isinstance(config, dict):
        raise InvalidRequest("bad_request", f"{file} must hold a JSON object.")
    return json.dumps(config)


def in_pool(config: str, pool: str | None) -> str:
    """The options with this pool in them; without one they stay what they are."""
    return json.dumps({**json.loads(config or "{}"), "pool": pool}) if pool else config


def registered(name: str, record: dict[str, Any]) -> str:
    """The result as a table."""
    rows = [(name, one["version"], one.get("state", "")) for one in record.get("versions", ())]
    return table(("MODEL", "VERSION", "STATE"), rows)


def warned(version: str, record: dict[str, Any]) -> list[str]:
    """What its worker found idle or odd in the version; without a name it is the one that was registered last."""
    found = [one for one in record.get("versions", ()) if version in ("", one["version"])]
    return list(found[-1].get("warnings") or ()) if found else []


class Watch:
    """Looks at the view while one waits, to say how far the model is."""

    def __init__(self, asker: Client, name: str) -> None:
        self._asker = asker
        self._name = name
        self._states = ""
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._look())

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def text(self) -> str:
        """What is being waited for."""
        return f"waiting for {self._name}{self._states}"

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(1.0)
            record = await self._asker.record(self._name) or {}
            states = [f"{one['version']} {one.get('state')}" for one in record.get("versions", ())]
            self._states = f" (versions: {', '.join(states)})" if states else " (not seen by the registry yet)"
