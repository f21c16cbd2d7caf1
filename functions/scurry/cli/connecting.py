"""Which Redis a verb talks to."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scurry.client.client import Client
from scurry.serving.folder import ADDRESSES, read_object
from scurry.settings import CommonSettings, UpSettings
from scurry.wire.errors import InvalidRequest

HELP_REDIS: Final = "Redis to talk to; else SCURRY_REDIS_URL, else that of the `scurry up` in --dir"


def add_redis(parser: argparse.ArgumentParser) -> None:
    """The options that say which Redis."""
    parser.add_argument("--redis-url", metavar="URL", help=HELP_REDIS)
    parser.add_argument("--namespace", metavar="NAME", help="prefix of every Redis key; else SCURRY_NAMESPACE")
    parser.add_argument("--dir", metavar="DIR", help="data directory of a running `scurry up`; else SCURRY_DIR")


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option for machines."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def place(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[str, str]:
    """Redis' address and the namespace: command line, environment, running `scurry up`, default."""
    folder = Path(args.dir or environ.get("SCURRY_DIR") or UpSettings().dir).expanduser()
    running = still_running(read_object(folder / ADDRESSES))
    default = CommonSettings()
    if args.dir and not running and not args.redis_url:
        raise InvalidRequest("not_allowed", f"No `scurry up` is running in {folder}.")
    url = args.redis_url or ("" if args.dir else environ.get("SCURRY_REDIS_URL", "")) or running.get("redis_url", "")
    name = args.namespace or environ.get("SCURRY_NAMESPACE", "") or running.get("namespace", "")
    return url or default.redis_url, name or default.namespace


def still_running(written: dict[str, Any]) -> dict[str, Any]:
    """What a `scurry up` wrote about itself, unless it was killed since."""
    pid = written.get("pid")
    if not isinstance(pid, int) or pid <= 0:
        return {}
    try:
        os.kill(pid, 0)  # only asks whether it is there
    except ProcessLookupError:
        return {}
    except PermissionError:
        pass
    return written


def client(args: argparse.Namespace) -> Client:
    """A client for that Redis; use it with `async with`."""
    url, namespace = place(args, os.environ)
    return Client(url, namespace=namespace)
