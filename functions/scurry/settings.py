"""One frozen class of settings for each process, read once.

The command line wins over `SCURRY_<FIELD>` variables, these over the defaults below.
"""

from __future__ import annotations

import argparse
import dataclasses
import re
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from urllib.parse import parse_qs, urlsplit

PREFIX: Final = "SCURRY_"
JOB_VARIABLES: Final = frozenset({"SCURRY_FUNCTIONS", "SCURRY_WORKERS"})
"""Read by the job (addresses of the processes), not by a settings class."""

_KUBERNETES: Final = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_LINK: Final = re.compile(r"(tcp|udp|sctp)://.*")
_HOST: Final = re.compile(r"[A-Za-z0-9._:%-]{1,253}")
_PLACE: Final = r"[A-Za-z][A-Za-z0-9+.-]*://(?!\.{1,2}(/|,|$))[\w.:~+=-]+(/(?!\.{1,2}(/|,|$))[\w.:~+=-]+)*/?"
_PLACES: Final = re.compile(rf"({_PLACE}(, *{_PLACE})*)?")
_DB: Final = re.compile(r"[0-9]{1,9}")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


Rule = tuple[str, Callable[[Any], object]]
"""What a value must be, in words and as a question about it."""


class InvalidSettings(Exception):
    """A setting that cannot be read, or that nobody knows. No `ValueError`: argparse would put its own words for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonSettings:
    """What every process needs to know."""

    namespace: str = "scurry"
    redis_url: str = "redis://127.0.0.1:6379/0"
    log_level: str = "info"
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

    What lies below one of `sources` is fetched, and kept in `cache`; empty: in the system's temporary directory.
    """

    host: str = "127.0.0.1"
    port: int = 8110
    memory_mb: int = 2048
    threads: int = 0
    models_root: str = ""
    sources: str = ""
    cache: str = ""
    cache_mb: int = 10240
    shared_payloads: str = ""
    drain_s: float = 45.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySettings(CommonSettings):
    """The gateway's doors and limits, each of them for one process. Port 0 picks a free one."""

    host: str = "127.0.0.1"
    http_port: int = 8000
    grpc_port: int = 8001
    metrics_port: int = 8002
    max_body_bytes: int = 64 * 1024 * 1024
    max_in_flight: int = 4096
    max_bytes_in_flight: int = 768 * 1024 * 1024
    timeout_s: float = 30.0
    drain_s: float = 20.0
    admin_key: str = ""
    reuse_port: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UpSettings(CommonSettings):
    """Everything on one machine. Port 0 picks a free one; `redis_url` empty starts a Redis of our own."""

    redis_url: str = ""
    dir: str = ".scurry"
    models: str = ""
    models_root: str = ""
    sources: str = ""
    cache: str = ""
    cache_mb: int = 10240
    shared_memory: str = "/dev/shm"
    workers: int = 0
    gateways: int = 0
    host: str = "127.0.0.1"
    http_port: int = 0
    grpc_port: int = 0
    metrics_port: int = 0
    ui_port: int = 0
    redis_port: int = 0
    functions_port: int = 0
    worker_port: int = 0
    memory_mb: int = 2048
    threads: int = 0
    job_memory_mb: int = 1024
    checkpoint_interval: str = "5s"
    module: str = ""
    on_gap: str = "fail"
    forget_checkpoints: bool = False
    admin_key: str = ""
    max_queue_s: float = 10.0
    max_hold_s: float = 60.0


Settings = TypeVar("Settings", bound=CommonSettings)
ALL: Final[tuple[type[CommonSettings], ...]] = (FunctionsSettings, WorkerSettings, GatewaySettings, UpSettings)


def load(cls: type[Settings], args: argparse.Namespace | None, environ: Mapping[str, str]) -> Settings:
    """Settings of one process. Raises `InvalidSettings` with one sentence."""
    refuse_unknown(environ)
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


def variables() -> frozenset[str]:
    """Every SCURRY_ variable that some process reads."""
    fields = {field.name for cls in ALL for field in dataclasses.fields(cls)}
    return JOB_VARIABLES | {PREFIX + name.upper() for name in fields}


def refuse_unknown(environ: Mapping[str, str]) -> None:
    """Raise `InvalidSettings` when a SCURRY_ variable is nobody's."""
    known = variables()
    for name, value in environ.items():
        if name.startswith(PREFIX) and name not in known and not _is_link(name, value):
            raise InvalidSettings(f"{name} is not a setting; known are {', '.join(sorted(known))}.")


def read(label: str, name: str, text: str, kind: type[Any]) -> Any:  # noqa: ANN401 - of the field's type
    """The value of a field, given as text behind a flag or in a variable. Raises `InvalidSettings`."""
    return take(label, text, _yes_or_no if kind is bool else kind, RULES.get(name) or _ANY[kind])


def take(label: str, text: str, convert: Callable[[str], Any], rule: Rule) -> Any:  # noqa: ANN401 - what it makes
    """The value that a text stands for, if the rule holds of it. Raises `InvalidSettings` with one sentence."""
    words, holds = rule
    try:
        value = convert(text)
        if holds(value):
            return value
    except ValueError:
        pass
    shown = re.sub("//[^/]*@", "//…@", text)
    raise InvalidSettings(f"{label} takes {words}, not {shown if len(shown) <= 80 else shown[:80] + '…'!r}.")


def between(least: float, most: float, noun: str = "a whole number") -> Rule:
    """A rule for numbers."""
    return f"{noun} from {least} to {most}", lambda value: least <= value <= most


def above_0(most: float) -> Rule:
    """A rule for times and rates."""
    return f"a number above 0 and up to {most}", lambda value: 0 < value <= most


def _yes_or_no(text: str) -> bool:
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None and all(len(label) < 64 for label in text.split("."))


def _is_redis(text: str) -> bool:
    """What `redis.address.Address` can take apart; a test holds both together."""
    parts = urlsplit(text)
    is_socket = parts.scheme == "unix"
    database = parse_qs(parts.query).get("db", [""])[-1] or ("" if is_socket else parts.path.strip("/"))
    if not is_socket and (parts.scheme not in ("redis", "rediss") or parts.port == 0):
        return False
    return not database or _DB.fullmatch(database) is not None


_PORT: Final = between(0, 65535, "a port")
_SIZE: Final = between(16, 1 << 24)
RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("port", "http_port", "grpc_port", "metrics_port", "redis_port"), _PORT),
    **dict.fromkeys(("functions_port", "worker_port"), _PORT),
    "ui_port": ("a port from 0 to 65535, or -1 for none", lambda port: -1 <= port <= 65535),
    **dict.fromkeys(("workers", "gateways"), between(0, 256)),
    "threads": between(0, 1024),
    "memory_mb": _SIZE,
    "cache_mb": between(1, 1 << 30),
    "sources": ("places such as s3://bucket/models,https://host/models, without credentials", _PLACES.fullmatch),
    "job_memory_mb": between(128, 1 << 20),
    "max_body_bytes": between(1, 1 << 31),
    "max_in_flight": between(1, 1_000_000),
    "timeout_s": above_0(86400),
    "drain_s": above_0(86400),
    "max_queue_s": above_0(86400),
    "max_hold_s": above_0(86400),
    "log_level": ("debug, info, warning or error", {"debug", "info", "warning", "error"}.__contains__),
    "on_gap": ("fail or resume", {"fail", "resume"}.__contains__),
    "checkpoint_interval": ("a duration such as 5s", re.compile(r"\d{1,9} ?(ms|s|min|m|h)").fullmatch),
    "namespace": ("letters, digits and . _ : - { }", re.compile(r"[\w.:{}-]{1,128}", re.ASCII).fullmatch),
    "host": ("an address such as 127.0.0.1 or 0.0.0.0", _is_host),
    "redis_url": ("redis://host:port/db, rediss://… or unix://…", _is_redis),
}
"""What a field takes, by its name, in every process alike."""

_ANY: Final[Mapping[type[Any], Rule]] = {
    int: between(0, 1 << 53), float: above_0(1 << 53), bool: ("yes or no", lambda _: True),
    str: ("text", lambda _: True),
}  # fmt: skip


def _is_link(name: str, value: str) -> bool:
    """Whether Kubernetes set this variable for a Service whose name begins with `scurry`."""
    return _KUBERNETES.fullmatch(name) is not None or (name.endswith("PORT") and _LINK.fullmatch(value) is not None)
