"""Ask a model: with a JSON body, a .npy file, a picture, or a folder."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from scurry.cli.connecting import add_redis, client
from scurry.cli.flags import SECONDS, number
from scurry.cli.output import progress, say
from scurry.client.bodies import raise_error
from scurry.client.client import Client
from scurry.client.registry import signature_of
from scurry.rules import between
from scurry.wire.errors import InvalidRequest, NotFound

TIMEOUT_S = 30.0
FOLDER_S = 600.0
"""Of each picture in a folder: it waits for those before it."""
EXAMPLE = """examples:
  scurry predict digits --json '{"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0, 1]}]}'
  scurry predict digits --npy image.npy
  scurry predict photos --version 2 --image cat.jpg
  scurry predict photos --folder ./pictures --glob '*.jpg' --out results.jsonl"""


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry predict`."""
    parser.add_argument("name", metavar="NAME", help="the model")
    parser.add_argument("--version", default="", help="version or alias; without it the model's own choice")
    parser.add_argument(
        "--json",
        metavar="BODY",
        nargs="?",
        const=True,
        help="an Open Inference Protocol body, @FILE, or - for stdin; beside --npy or --image: print JSON",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--npy", metavar="FILE", help="an array, or a .npz with one array for each input")
    source.add_argument("--image", metavar="FILE", help="a picture, made to fit the model's input")
    source.add_argument("--folder", metavar="DIR", help="every picture in it, as bulk requests; one JSON line for each")
    parser.add_argument("--glob", metavar="PATTERN", default="", help="which files of the folder, for instance '*.jpg'")
    parser.add_argument(
        "--out", metavar="FILE", default="", help="where the lines go; what it answers already is not asked again"
    )
    parser.add_argument(
        "--in-flight", type=number("--in-flight", between(1, 4096), int), default=128, metavar="N",
        help="pictures of the folder that are on their way at a time (128)",
    )  # fmt: skip
    parser.add_argument(
        "--timeout", type=number("--timeout", SECONDS), metavar="S", help="seconds to wait (30; in a folder 600 each)"
    )
    parser.add_argument("--priority", type=number("--priority", between(0, 2**31 - 1), int), default=0, metavar="N",
                        help="1 is the highest; 0, and without it, the model's default")  # fmt: skip
    parser.add_argument("--tenant", default="", metavar="NAME", help="whose rate this counts against")
    add_redis(parser)


def run(args: argparse.Namespace) -> int:
    """Print the model's outputs."""
    file = args.npy or args.image or args.folder
    if file and isinstance(args.json, str):
        raise InvalidRequest("bad_request", "Give a JSON body or a file, not both.")
    if not (file or isinstance(args.json, str)):
        raise InvalidRequest("bad_request", "Nothing to send: give --json BODY, or --npy, --image or --folder.")
    args.timeout = args.timeout or (FOLDER_S if args.folder else TIMEOUT_S)
    if args.folder:
        if args.priority:
            raise InvalidRequest("bad_request", "A folder goes as bulk requests, which have no --priority.")
        from scurry.cli import folder  # noqa: PLC0415 - numpy only for those who need it

        return asyncio.run(folder.push(args, client(args)))
    if args.glob or args.out:
        raise InvalidRequest("bad_request", "--glob and --out are for a --folder.")
    return asyncio.run(_predict(args))


async def _predict(args: argparse.Namespace) -> int:
    async with client(args) as asker, progress(args, lambda: f"waiting for {args.name}"):
        text = await (_ask_file(args, asker) if args.npy or args.image else _ask_json(args, asker))
    say(text)
    return 0


async def _ask_json(args: argparse.Namespace, asker: Client) -> str:
    """The body goes as it is and comes back as it is."""
    fields = await asker.submit(
        args.name, read_body(args.json), encoding="inputs", version=args.version, timeout=args.timeout,
        priority=args.priority, tenant=args.tenant,
    )  # fmt: skip
    raise_error(fields)
    return (await asker.body(fields)).decode()


async def _ask_file(args: argparse.Namespace, asker: Client) -> str:
    from scurry.cli import files  # noqa: PLC0415 - numpy only for those who need it

    signature = find_signature(await asker.record(args.name), args.name, args.version)
    read = files.arrays if args.npy else files.picture
    inputs = read(Path(args.npy or args.image), signature)
    outputs = await asker.infer(
        args.name, inputs, version=args.version, timeout=args.timeout, priority=args.priority, tenant=args.tenant
    )
    if args.json:
        return json.dumps({name: files.listed(array) for name, array in outputs.items()}, default=str)
    return "\n".join(f"{name} {files.described(array)}" for name, array in outputs.items())


def read_body(text: str) -> bytes:
    """A body given as it is, as @FILE, or as - for stdin."""
    if text == "-":
        return sys.stdin.buffer.read()
    if text.startswith("@"):
        try:
            return Path(text[1:]).read_bytes()
        except OSError as exc:
            raise InvalidRequest("bad_request", f"{text[1:]} cannot be read: {exc.strerror}.") from None
    return text.encode()


def find_signature(record: dict[str, Any] | None, name: str, version: str) -> dict[str, Any]:
    """What the version that will answer takes, according to the view."""
    if record is None:
        raise NotFound("model_not_found", f"No model {name!r} is registered.")
    signature = signature_of(record, version)
    if signature is None:
        raise NotFound("version_not_found", f"Model {name!r} has no version {version!r} that is ready.")
    return signature
