"""Cluster Serving streams that a model answers: bound, unbound, shown."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import Bind
from scurry.wire.names import SERVING_STREAM


def add(parser: argparse.ArgumentParser) -> None:
    """The options of `scurry models bind`."""
    parser.add_argument("stream", metavar="STREAM", nargs="?", default=None, help=f"the stream ({SERVING_STREAM})")
    parser.add_argument("--batched", action="store_true", help="what comes by it has a batch dimension already")
    parser.add_argument("--off", action="store_true", help="no longer; without STREAM none of the model's")


def bind_of(args: argparse.Namespace) -> Bind:
    """The message that the arguments stand for. Raises `InvalidRequest`."""
    if args.off:
        if args.batched:
            raise InvalidRequest("bad_request", "Say --batched or --off.")
        return Bind(stream=args.stream or "", unbind=True)
    return Bind(stream=SERVING_STREAM if args.stream is None else args.stream, batched=args.batched)


def described(record: Mapping[str, Any]) -> list[str]:
    """A record's streams as lines of text."""
    streams = record.get("streams") or {}
    return [f"answers stream {name}{' (batched)' if one.get('batched') else ''}" for name, one in streams.items()]
