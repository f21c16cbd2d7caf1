"""One frozen class of settings for each process, read once.

The command line wins over `SCURRY_<FIELD>` variables, these over the defaults below.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from scurry.rules import ANY, RULES, InvalidSettings, take, yes_or_no
from scurry.secret_files import FILE_VARIABLES, with_files
from scurry.wire.pools import VARIABLE

PREFIX: Final = "SCURRY_"
JOB_VARIABLES: Final = frozenset({"SCURRY_FUNCTIONS", "SCURRY_WORKERS"})
"""Addresses of processes, read by the job, not by a settings class; so are those of further pools."""
_KUBERNETES: Final = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_LINK: Final = re.compile(r"(tcp|udp|sctp)://.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """What every process needs to know."""

    namespace: str = "scurry"
    redis_url: str = "redis://127.0.0.1:6379/0"
    log_level: str = "info"
    log_format: str = "text"
    traces: float = 0.0
    metrics_models: int = 200
    separate_registry: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionsSettings(CommonSettings):
    """Router and registry. A request waits at most so long for its turn, and for a version that is loading.

    `module` is the job's module.yaml: only functions that it binds can be registered; empty: ours.
    """

    host: str = "127.0.0.1"
    port: int = 8100
    drain_s: float = 10.0
    max_queue_s: float = 10.0
    max_hold_s: float = 60.0
    module: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings(CommonSettings):
    """One worker. `threads` 0 leaves the choice to the runtime; `models_root` is put before relative uris.

    `allow` names what may be opened though it can run code: `python`, `sklearn-pickle`, …, with commas between.
    What lies below one of `sources` is fetched, and kept in `cache`; empty: in the system's temporary directory.
    """

    host: str = "127.0.0.1"
    port: int = 8110
    memory_mb: int = 2048
    response_cache_mb: int = 64
    threads: int = 0
    models_root: str = ""
    sources: str = ""
    cache: str = ""
    cache_mb: int = 10240
    shared_payloads: str = ""
    allow: str = ""
    pool: str = "default"
    max_load_s: float = 300.0
    drain_s: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings(CommonSettings):
    """The gateway's doors and limits, each of them for one process. Port 0 picks a free one.

    `client_shared_memory` lets callers register shared memory where others than this machine reach the gateway.
    """

    host: str = "127.0.0.1"
    http_port: int = 8000
    grpc_port: int = 8001
    metrics_port: int = 8002
    max_body_bytes: int = 64 * 1024 * 1024
    server_name: str = "scurry"
    server_version: str = ""
    client_shared_memory: bool = False
    max_in_flight: int = 4096
    max_bytes_in_flight: int = 768 * 1024 * 1024
    timeout_s: float = 30.0
    drain_s: float = 20.0
    admin_key: str = ""
    cluster_serving_answers: str = "v0.10"
    access_log: bool = False
    api_keys: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    cors_origins: str = ""
    max_connections: int = 16384
    max_connections_each: int = 0
    max_head_bytes: int = 16 * 1024
    max_headers: int = 100
    max_tensor_bytes: int = 0
    max_rows: int = 0
    max_in_flight_each: int = 0
    reuse_port: bool = False
    results_s: int = 3600
    callbacks: str = ""
    callback_secret: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BridgeSettings(CommonSettings):
    """The bridge, which carries Cluster Serving streams over to the job; its page is for probes and Prometheus."""

    host: str = "127.0.0.1"
    port: int = 8120


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings(CommonSettings):
    """Everything on one machine. Port 0 picks a free one; `redis_url` empty starts a Redis of our own.

    `worker_pool` are further pools of workers, each with how many it has: `gpu=1,large=2`.
    """

    redis_url: str = ""
    dir: str = ".scurry"
    models: str = ""
    cluster_serving: str = ""
    models_root: str = ""
    sources: str = ""
    cache: str = ""
    cache_mb: int = 10240
    shared_memory: str = "/dev/shm"
    workers: int = 0
    worker_pool: str = ""
    gateways: int = 0
    host: str = "127.0.0.1"
    http_port: int = 0
    grpc_port: int = 0
    metrics_port: int = 0
    up_port: int = 0
    job_metrics_port: int = -1
    access_log: bool = False
    ui_port: int = 0
    redis_port: int = 0
    functions_port: int = 0
    worker_port: int = 0
    memory_mb: int = 2048
    response_cache_mb: int = 64
    threads: int = 0
    job_memory_mb: int = 1024
    checkpoint_interval: str = "5s"
    module: str = ""
    on_gap: str = "fail"
    forget_checkpoints: bool = False
    admin_key: str = ""
    max_body_bytes: int = 64 * 1024 * 1024
    server_name: str = "scurry"
    server_version: str = ""
    client_shared_memory: bool = False
    api_keys: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    tls_client_ca: str = ""
    cors_origins: str = ""
    max_queue_s: float = 10.0
    max_hold_s: float = 60.0
    max_load_s: float = 300.0
    cluster_serving_answers: str = "v0.10"
    allow: str = ""
    cluster_serving_ttl: str = "0s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientSettings(CommonSettings):
    """What `Client.from_env` reads: no process of ours, but whatever program asks models."""

    url: str = ""  # a gateway's, or a Redis'; empty: redis_url
    api_key: str = ""
    admin_key: str = ""


Settings = TypeVar("Settings", bound=CommonSettings)
ALL: Final[tuple[type[CommonSettings], ...]] = (
    FunctionsSettings, WorkerSettings, GatewaySettings, BridgeSettings, UpSettings,
)  # fmt: skip


def load(cls: type[Settings], args: argparse.Namespace | None, environ: Mapping[str, str]) -> Settings:
    """Settings of one process. Raises `InvalidSettings` with one sentence."""
    refuse_unknown(environ)
    environ = with_files(environ)
    types = typing.get_type_hints(cls)
    values: dict[str, Any] = {}
    for field in dataclasses.fields(cls):
        given = getattr(args, field.name, None)
        variable = PREFIX + field.name.upper()
        if given is not None:
            values[field.name] = given
        elif variable in environ and not _is_link(variable, environ[variable]):
            values[field.name] = read(variable, field.name, environ[variable], types[field.name])
    return cls(**values)


def client_options(environ: Mapping[str, str], given: Mapping[str, object]) -> dict[str, Any]:
    """What a client is made with, as the environment says unless it is `given`.

    A variable of a newer version is no reason for a program of somebody else's to fail.
    """
    known = {name: value for name, value in environ.items() if name in variables()}
    said = load(ClientSettings, None, known)
    return {
        "url": said.url or said.redis_url, "namespace": said.namespace, "separate_registry": said.separate_registry,
        "api_key": said.api_key, "admin_key": said.admin_key, **given,
    }  # fmt: skip


def variables() -> frozenset[str]:
    """Every SCURRY_ variable that some process reads."""
    fields = {field.name for cls in (*ALL, ClientSettings) for field in dataclasses.fields(cls)}
    return JOB_VARIABLES | FILE_VARIABLES | {PREFIX + name.upper() for name in fields}


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Raise `InvalidSettings` when a SCURRY_ variable is nobody's."""
    known = variables()
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in known and not (VARIABLE.fullmatch(name) or _is_link(name, value)):
            raise InvalidSettings(f"{name} is not a setting; known are {', '.join(sorted(known))}.")


def read(label: str, name: str, text: str, kind: type[Any]) -> Any:  # noqa: ANN401 - of the field's type
    """The value of a field, given as text behind a flag or in a variable. Raises `InvalidSettings`."""
    return take(label, text, yes_or_no if kind is bool else kind, RULES.get(name) or ANY[kind])


def _is_link(name: str, value: str) -> bool:
    """Whether Kubernetes set this variable for a Service whose name begins with `scurry`."""
    return _KUBERNETES.fullmatch(name) is not None or (name.endswith("PORT") and _LINK.fullmatch(value) is not None)
