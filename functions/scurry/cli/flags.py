"""Flags made from a settings class, one for each field."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from typing import Final

from scurry.settings import PREFIX, CommonSettings

HELP: Final = {
    "namespace": "prefix of every Redis key",
    "redis_url": "address of Redis: redis://[user:password@]host:port/db, rediss:// for TLS",
    "log_level": "debug, info, warning or error",
    "host": "address to listen on; 0.0.0.0 is every interface",
    "port": "port to listen on; 0 picks a free one",
    "memory_mb": "memory that loaded models may take",
    "threads": "threads of one model call; 0 leaves it to the machine",
    "models_root": "directory that every uri must lie in",
    "http_port": "HTTP port; 0 picks a free one",
    "grpc_port": "gRPC port; 0 picks a free one",
    "metrics_port": "metrics port; 0 picks a free one",
    "ui_port": "port of Flink's web UI; 0 picks a free one, -1 is off",
    "redis_port": "port of our own Redis; 0 picks a free one",
    "functions_port": "port of the functions process; 0 picks a free one",
    "worker_port": "port of the first worker, the others follow; 0 picks free ones",
    "max_body_bytes": "largest body of a request",
    "max_bytes_in_flight": "memory that requests in flight may take",
    "max_in_flight": "requests that may wait for their answer",
    "timeout_s": "seconds a request may take",
    "dir": "directory for data and logs",
    "models": "a repository (NAME/VERSION/…) to register as a whole",
    "workers": "worker processes; 0 is one for two cores",
    "job_memory_mb": "heap of the job's Java process",
    "checkpoint_interval": "time between checkpoints of the job",
    "module": "another module.yaml than ours",
}


def add_settings(parser: argparse.ArgumentParser, cls: type[CommonSettings]) -> None:
    """A flag for each field of the class. What is not given stays None, so that the environment may speak."""
    types = typing.get_type_hints(cls)
    for field in dataclasses.fields(cls):
        shown = "" if field.default in ("", 0) else f" ({field.default})"
        parser.add_argument(
            f"--{field.name.replace('_', '-')}",
            type=types[field.name],
            default=None,
            metavar=field.name.rpartition("_")[2].upper(),
            help=f"{HELP[field.name]}{shown}; else {PREFIX}{field.name.upper()}".replace("%", "%%"),
        )
