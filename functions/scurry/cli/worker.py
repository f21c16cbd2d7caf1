"""A process that loads models and runs batches."""

from __future__ import annotations

import argparse
import os

from scurry.cli.flags import add_settings
from scurry.cli.output import complain
from scurry.settings import WorkerSettings, load

EXAMPLE = "example: scurry worker --port 8110 --memory-mb 4096"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry worker`."""
    add_settings(parser, WorkerSettings)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load(WorkerSettings, args, os.environ)
    from scurry.serving.worker import run as serve  # noqa: PLC0415 - only this verb needs it

    try:
        serve(settings)
    except OSError as exc:
        return complain(args, "unavailable", f"The worker process cannot listen on {settings.host}: {exc}.")
    return 0
