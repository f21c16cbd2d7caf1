"""The process of the router and registry functions."""

from __future__ import annotations

import argparse
import os

from scurry.cli.flags import add_settings
from scurry.cli.output import complain
from scurry.job.jars import MissingJob
from scurry.settings import FunctionsSettings, load

EXAMPLE = "example: scurry functions --port 8100 --redis-url redis://redis:6379/0"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry functions`."""
    add_settings(parser, FunctionsSettings)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load(FunctionsSettings, args, os.environ)
    from scurry.serving.functions import run as serve  # noqa: PLC0415 - only this verb needs it

    try:
        serve(settings)
    except MissingJob as exc:
        return complain(args, "bad_request", str(exc))
    except OSError as exc:
        return complain(args, "unavailable", f"The functions process cannot listen on {settings.host}: {exc}.")
    return 0
