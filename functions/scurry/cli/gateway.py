"""The process that answers HTTP and gRPC: Open Inference Protocol v2."""

from __future__ import annotations

import argparse
import os

from scurry.cli.flags import add_settings
from scurry.cli.output import complain
from scurry.settings import GatewaySettings, load

EXAMPLE = "example: scurry gateway --host 0.0.0.0 --http-port 8000"


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry gateway`."""
    add_settings(parser, GatewaySettings)


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C."""
    settings = load(GatewaySettings, args, os.environ)
    from scurry.serving.gateway import run as serve  # noqa: PLC0415 - only this verb needs it

    try:
        serve(settings)
    except OSError as exc:
        return complain(args, "unavailable", f"The gateway process cannot listen on {settings.host}: {exc}.")
    return 0
