"""Everything on this machine, started and kept running."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Callable

from scurry.cli import cluster_serving
from scurry.cli.cluster_config import Served
from scurry.cli.flags import add_settings
from scurry.cli.output import complain, note, say
from scurry.cli.repository import Found, register_all, scan_or_say
from scurry.secret_files import with_files
from scurry.serving.up import CANNOT_START, Up, ready_block
from scurry.settings import UpSettings, load
from scurry.telemetry.logs import configure_logging

EXAMPLE = "example: scurry up --models ./models --workers 2 --http-port 8000"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry up`."""
    add_settings(parser, UpSettings)


def run(args: argparse.Namespace) -> int:
    """Start everything, say so, and keep it running until SIGTERM or Ctrl-C."""
    settings = load(UpSettings, args, os.environ)
    configure_logging("up", settings.log_level, form=settings.log_format)
    models = scan_or_say(settings.models) if settings.models else []
    original = cluster_serving.read_all(settings.cluster_serving)
    for line in original.notes:
        note(line)
    if original.redis_url and args.redis_url is None and "SCURRY_REDIS_URL" not in with_files(os.environ):
        settings = dataclasses.replace(settings, redis_url=original.redis_url)
    return asyncio.run(_up(args, settings, models, original.served))


async def _up(
    args: argparse.Namespace, settings: UpSettings, models: list[Found], served: list[Served]
) -> int:
    up = Up(settings, os.environ, note)
    stop = _stop_signal(up.kill)
    starting = asyncio.create_task(_start(up, settings, models, served))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((starting, stopping), return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            await stopping
        return 0
    except CANNOT_START as exc:
        return complain(args, "unavailable", str(exc))
    finally:
        starting.cancel()
        stopping.cancel()
        await asyncio.gather(starting, stopping, return_exceptions=True)
        await up.stop()


async def _start(up: Up, settings: UpSettings, models: list[Found], served: list[Served]) -> None:
    begin = time.monotonic()
    await up.start()
    if models:
        await register_all(models, up.addresses.redis_url, settings.namespace)
    if served:
        await cluster_serving.serve_all(served, up.addresses.redis_url, settings.namespace)
    with contextlib.suppress(OSError):  # what nobody can read any more is no reason to stop
        say(ready_block(up.addresses, up.folder.path, settings.models_root, time.monotonic() - begin))


def _stop_signal(kill: Callable[[], None]) -> asyncio.Event:
    """Set by the first SIGTERM or Ctrl-C; the second one waits for nothing."""
    stop = asyncio.Event()

    def ask() -> None:
        if stop.is_set():
            kill()
        stop.set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, ask)
    return stop
