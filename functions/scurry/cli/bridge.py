"""The process that carries Cluster Serving streams over to the job."""

from __future__ import annotations

import argparse
import os

from scurry.cli.flags import add_settings
from scurry.settings import BridgeSettings, load

EXAMPLE = "example: scurry bridge --redis-url redis://redis:6379/0"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry bridge`."""
    add_settings(parser, BridgeSettings)


def run(args: argparse.Namespace) -> int:
    """Carry entries over until SIGTERM or Ctrl-C."""
    settings = load(BridgeSettings, args, os.environ)
    from scurry.serving.bridge import run as serve  # noqa: PLC0415 - only this verb needs it

    serve(settings)
    return 0
