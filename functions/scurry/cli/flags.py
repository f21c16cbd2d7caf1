"""Flags: one for each field of a settings class, each read by a rule."""

from __future__ import annotations

import argparse
import dataclasses
import typing
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from scurry.rules import Rule, above_0, take
from scurry.settings import PREFIX, CommonSettings, read

HELP: Final = {
    "namespace": "prefix of every Redis key",
    "redis_url": "address of Redis: redis://[user:password@]host:port/db, rediss:// for TLS",
    "log_level": "debug, info, warning or error",
    "log_format": "text (pairs of key=value) or json, a line for each event",
    "traces": "share of requests that begin a trace, from 0 to 1; where it goes say OpenTelemetry's own variables",
    "metrics_models": "models that have metrics of their own in each process; further ones share those of `other`",
    "access_log": "log each HTTP request with its status, its time and its ids",
    "host": "address to listen on; 0.0.0.0 is every interface",
    "port": "port to listen on; 0 picks a free one",
    "memory_mb": "memory that loaded models may take, on all workers together; each has at least 64",
    "response_cache_mb": "memory for answers of models with response_cache; 0: none are kept",
    "threads": "threads of one model call; 0 leaves it to the machine",
    "models_root": "directory that every uri must lie in",
    "sources": "places that models may be fetched from, with commas between: s3://bucket/models,https://host/models",
    "cache": "directory for what was fetched, shared by the workers of a machine",
    "cache_mb": "size that this directory may have",
    "shared_payloads": "folder in memory in which callers on this machine leave large tensors; empty: all are in Redis",
    "shared_memory": "folder in memory for large tensors of callers on this machine; empty: all go through Redis",
    "http_port": "HTTP port; 0 picks a free one",
    "grpc_port": "gRPC port; 0 picks a free one",
    "metrics_port": "port of /metrics, for Prometheus; 0 picks a free one",
    "up_port": "port of the supervisor's own /metrics, and of /targets for Prometheus; 0 picks a free one",
    "job_metrics_port": "port of Flink's metrics; 0 picks a free one, -1 is off",
    "ui_port": "port of Flink's web UI; 0 picks a free one, -1 is off",
    "redis_port": "port of our own Redis; 0 picks a free one",
    "functions_port": "port of the functions process; 0 picks a free one",
    "worker_port": "port of the first worker, the others follow; 0 picks free ones",
    "max_body_bytes": "largest body of a request",
    "max_bytes_in_flight": "memory that requests in flight may take, in each gateway process",
    "server_name": "name in the server's metadata",
    "server_version": "version in the server's metadata; empty: Scurry's own",
    "client_shared_memory": "let callers name shared memory of this machine, also where others reach the gateway",
    "max_in_flight": "requests that may wait for their answer, in each gateway process",
    "reuse_port": "share the ports with other gateways that are told so: the kernel shares connections out",
    "results_s": "seconds for which results that are fetched later are kept, from when they were asked for",
    "callbacks": "URLs below which callers may have results sent to, with commas between; empty: nowhere",
    "callback_secret": "key with which results that are sent are signed",
    "timeout_s": "seconds a request may take",
    "drain_s": "seconds after SIGTERM to finish what was begun",
    "dir": "directory for data and logs",
    "models": "a repository (NAME/VERSION/…) to register as a whole",
    "workers": "worker processes; 0 is one for two cores",
    "worker_pool": "workers of further pools, NAME=COUNT with commas between, such as gpu=1,large=2",
    "pool": "pool that this worker belongs to: it loads the models that name it",
    "gateways": "gateway processes, which share their ports; 0 is one for four cores",
    "job_memory_mb": "heap of the job's Java process",
    "cluster_serving_ttl": "how long an answer to a Cluster Serving client is kept, such as 7d; 0s until it is read",
    "checkpoint_interval": "time between checkpoints of the job",
    "module": "another module.yaml than ours",
    "cluster_serving": "a config.yaml or servables file of Cluster Serving to be served, several with commas between",
    "cluster_serving_answers": "form of Cluster Serving's REST answers: v0.10, v0.9 or arrow",
    "on_gap": "fail or resume: what the job does when Redis lacks entries that it has not read yet",
    "forget_checkpoints": "start without the job's checkpoints, which are put aside, when none can be restored",
    "max_queue_s": "seconds a request may wait for its turn, by the time that requests of its version take",
    "max_hold_s": "seconds a request may wait for a version that is being loaded",
    "max_load_s": "seconds a model may take to be opened",
    "allow": "what may be opened though it can run code: python, sklearn-pickle, …, with commas between",
    "admin_key": "key that registry verbs over HTTP must show",
    "api_keys": "file of API keys, read again when it changes: `scurry keys new NAME` makes a line; empty: none asked",
    "tls_cert": "PEM file with our certificate and those above it, read again when it changes; empty: no TLS",
    "tls_key": "PEM file with the certificate's key",
    "tls_client_ca": "PEM file of those whose clients are let in: each must show a certificate; empty: everybody",
    "cors_origins": "origins whose web pages may call, with commas between; * is every one, empty none",
    "max_connections": "connections of HTTP and gRPC together, in each gateway process; 0: as many as there can be",
    "max_connections_each": "connections from one address; 0: no limit, as behind a load balancer",
    "max_head_bytes": "largest head of an HTTP request",
    "max_headers": "headers of an HTTP request",
    "max_tensor_bytes": "largest tensor of a request; 0: as large as its body may be",
    "max_rows": "rows of a request, by the first dimension of its inputs; 0: any",
    "max_in_flight_each": "requests of one tenant that may wait for their answer, in each gateway process; 0: any",
    "separate_registry": "take registry messages from their own stream only, so that Redis' ACLs can tell who may",
}


def add_settings(parser: argparse.ArgumentParser, cls: type[CommonSettings]) -> None:
    """A flag for each field of the class. What is not given stays None, so that the environment may speak."""
    types = typing.get_type_hints(cls)
    for one in dataclasses.fields(cls):
        flag = f"--{one.name.replace('_', '-')}"
        shown = "" if one.default in ("", 0, False) else f" ({one.default})"
        text = f"{HELP[one.name]}{shown}; else {PREFIX}{one.name.upper()}".replace("%", "%%")
        if types[one.name] is bool:
            parser.add_argument(flag, action="store_const", const=True, default=None, help=text)
        else:
            metavar = one.name.rpartition("_")[2].upper()
            reader = partial(_read, flag, one.name, types[one.name])
            parser.add_argument(flag, type=reader, default=None, metavar=metavar, help=text)


def field(name: str) -> Callable[[str], Any]:
    """How a field of text is read for a verb that has no settings class."""
    return partial(_read, f"--{name.replace('_', '-')}", name, str)


def _read(flag: str, name: str, kind: type[Any], text: str) -> Any:  # noqa: ANN401 - of the field's type
    return read(flag, name, text, kind)


def number(flag: str, rule: Rule, kind: type[Any] = float) -> Callable[[str], Any]:
    """How the number behind a flag is read."""
    return partial(_take, flag, kind, rule)


def several(flag: str, least: int, most: int) -> Callable[[str], Any]:
    """How whole numbers with commas between are read."""
    words = f"whole numbers from {least} to {most} with commas between"
    return partial(_take, flag, _numbers, (words, lambda ones: all(least <= one <= most for one in ones)))


def checked(flag: str, words: str, holds: Callable[[str], object]) -> Callable[[str], Any]:
    """How a text that must look a certain way is read."""
    return partial(_take, flag, str, (words, holds))


def _take(flag: str, convert: Callable[[str], Any], rule: Rule, text: str) -> Any:  # noqa: ANN401 - what it makes
    return take(flag, text, convert, rule)


def _numbers(text: str) -> list[int]:
    return [int(one) for one in text.split(",")]


SECONDS: Final = above_0(86400)
