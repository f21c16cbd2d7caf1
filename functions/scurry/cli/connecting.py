"""Which Redis, or which gateway, a verb talks to."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from scurry.cli.flags import field
from scurry.client.client import Client
from scurry.secret_files import with_files
from scurry.serving.folder import ADDRESSES, expanded, read_object
from scurry.serving.leftovers import born
from scurry.settings import PREFIX, CommonSettings, UpSettings, client_options, load, read
from scurry.wire.errors import InvalidRequest

HELP_REDIS: Final = "Redis to talk to; else SCURRY_REDIS_URL, else that of the `scurry up` in --dir"


HTTP: Final = ("http://", "https://")


def add_redis(parser: argparse.ArgumentParser) -> None:
    """The options that say which Redis."""
    parser.add_argument("--redis-url", metavar="URL", type=field("redis_url"), help=HELP_REDIS)
    parser.add_argument(
        "--namespace", metavar="NAME", type=field("namespace"), help="prefix of every Redis key; else SCURRY_NAMESPACE"
    )
    parser.add_argument("--dir", metavar="DIR", help="data directory of a running `scurry up`; else SCURRY_DIR")


def add_url(parser: argparse.ArgumentParser) -> None:
    """The option that names a gateway, for verbs that need no more than one offers."""
    text = "a gateway instead of Redis, http:// or https://; else SCURRY_URL; with SCURRY_ADMIN_KEY, SCURRY_API_KEY"
    parser.add_argument("--url", metavar="URL", help=text)


def add_json(parser: argparse.ArgumentParser) -> None:
    """The option for machines."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def place(args: argparse.Namespace, environ: Mapping[str, str]) -> tuple[str, str]:
    """Redis' address and the namespace: command line, environment, running `scurry up`, default."""
    folder = folder_of(args, environ)
    running = running_up(folder)
    default = CommonSettings()
    if args.dir and not running and not args.redis_url:
        raise InvalidRequest("not_allowed", f"No `scurry up` is running in {folder}.")
    url = args.redis_url or ("" if args.dir else _given(environ, "redis_url")) or running.get("redis_url", "")
    name = args.namespace or _given(environ, "namespace") or running.get("namespace", "")
    return url or default.redis_url, name or default.namespace


def is_separate(args: argparse.Namespace, environ: Mapping[str, str]) -> bool:
    """Whether registry messages have a stream of their own: environment, running `scurry up`, default."""
    said = load(CommonSettings, None, environ).separate_registry
    return said or running_up(folder_of(args, environ)).get("separate_registry") is True


def _given(environ: Mapping[str, str], name: str) -> str:
    """What the environment says; empty when nothing."""
    variable, environ = PREFIX + name.upper(), with_files(environ)
    return str(read(variable, name, environ[variable], str)) if environ.get(variable) else ""


def folder_of(args: argparse.Namespace, environ: Mapping[str, str]) -> Path:
    """The data directory that is meant."""
    return expanded(args.dir or environ.get("SCURRY_DIR") or UpSettings().dir)


def running_up(folder: Path) -> dict[str, Any]:
    """What the `scurry up` of a directory wrote about itself; empty when it runs no more, or another has its number."""
    written = read_object(folder / ADDRESSES)
    pid = written.get("pid")
    if not isinstance(pid, int) or pid <= 0 or not is_running(pid):
        return {}
    return written if written.get("born", "") in ("", born(pid)) else {}


def is_running(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)  # only asks whether it is there
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def gateway(args: argparse.Namespace, environ: Mapping[str, str]) -> str:
    """The gateway that is meant, of a verb that takes one; empty: Redis. Raises `InvalidRequest`."""
    named = getattr(args, "url", None)
    said = named or ("" if args.redis_url or args.dir or not hasattr(args, "url") else environ.get("SCURRY_URL", ""))
    if named and args.redis_url:
        raise InvalidRequest("bad_request", "--url and --redis-url name two places; leave one out.")
    if named and not said.startswith(HTTP):
        raise InvalidRequest("bad_request", f"--url takes a gateway's http:// or https://, not {said!r}.")
    return said if said.startswith(HTTP) else ""


def client(args: argparse.Namespace) -> Client:
    """A client for that gateway or Redis; use it with `async with`."""
    if url := gateway(args, os.environ):
        return Client(**client_options(os.environ, {"url": url}))
    url, namespace = place(args, os.environ)
    return Client(url, namespace=namespace, separate_registry=is_separate(args, os.environ))
