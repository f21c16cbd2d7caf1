"""What values a setting may have, and how a wrong one is told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

Rule = tuple[str, Callable[[Any], object]]
"""What a value must be, in words and as a question about it."""

_HOST: Final = re.compile(r"[A-Za-z0-9._:%-]{1,253}")
_PLACE: Final = r"[A-Za-z][A-Za-z0-9+.-]*://(?!\.{1,2}(/|,|$))[\w.:~+=-]+(/(?!\.{1,2}(/|,|$))[\w.:~+=-]+)*/?"
_PLACES: Final = re.compile(rf"({_PLACE}(, *{_PLACE})*)?")
_PREFIX: Final = r"https?://[\w.\[\]:-]+/(?!\.{1,2}(/|,|$))[\w.~-]*(/(?!\.{1,2}(/|,|$))[\w.~-]*)*"
_PREFIXES: Final = re.compile(rf"({_PREFIX}(, *{_PREFIX})*)?", re.ASCII)
_ORIGIN: Final = r"https?://[A-Za-z0-9._\[\]:-]{1,253}"
_ORIGINS: Final = re.compile(rf"(\*|{_ORIGIN}(, *{_ORIGIN})*)?")
_POOL: Final = re.compile(r"[a-z]([a-z0-9-]{0,30}[a-z0-9])?")
PERMISSIONS: Final = ("python", "sklearn-pickle", "sklearn-types")
"""What runtimes ask for before they open what can run code."""
_ALLOW: Final = re.compile(rf"(({'|'.join(PERMISSIONS)})(,|$))*")
_PORTS: Final = "[0-9]{0,4}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
_REDIS: Final = re.compile(rf"(\[[0-9a-fA-F:.]+\]|[^:,\[\]\s]*)(:({_PORTS}))?")
_DB: Final = re.compile(r"[0-9]{1,9}")
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off"})


class InvalidSettings(Exception):
    """A setting that cannot be read, or that nobody knows. No `ValueError`: argparse would put its own words for it."""


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


def yes_or_no(text: str) -> bool:
    """What a text says of a switch. Raises `ValueError`."""
    if text.lower() not in _TRUE | _FALSE:
        raise ValueError(text)
    return text.lower() in _TRUE


def _is_host(text: str) -> bool:
    return _HOST.fullmatch(text) is not None and all(len(label) < 64 for label in text.split("."))


def _is_redis(text: str) -> bool:
    """What `redis.address.Address` can take apart; a test holds both together."""
    parts = urlsplit(text)
    is_socket, is_guarded = parts.scheme == "unix", parts.scheme.endswith("+sentinel")
    places, path = parts.netloc.rpartition("@")[2], parts.path.strip("/")
    if parts.scheme.removesuffix("+sentinel") not in ("redis", "rediss") and not is_socket:
        return False
    if not is_socket and not all(_REDIS.fullmatch(each) for each in (places.split(",") if is_guarded else (places,))):
        return False
    if is_guarded and (not path or path.startswith("/")):
        return False
    database = parse_qs(parts.query).get("db", [""])[-1] or _database(path, is_socket, is_guarded)
    return not database or _DB.fullmatch(database) is not None


def _database(path: str, is_socket: bool, is_guarded: bool) -> str:
    """The part of a path that numbers a database; Sentinels' master stands before it."""
    if is_guarded:
        return path.partition("/")[2]
    return "" if is_socket else path


def _is_label(text: str) -> bool:
    return text.isprintable() and len(text) <= 128


def pool_counts(text: str) -> dict[str, int]:
    """How many workers each pool has, of `gpu=1,large=2`. Raises `ValueError`."""
    named = [one.strip().partition("=") for one in text.split(",") if one.strip()]
    counts = {name: int(count) for name, _, count in named}
    if len(counts) < len(named):
        raise ValueError(text)
    return counts


def _are_pools(text: str) -> bool:
    counts = pool_counts(text)
    return all(_POOL.fullmatch(name) and name != "default" and 0 < count <= 256 for name, count in counts.items())


_PORT: Final = between(0, 65535, "a port")
_SIZE: Final = between(16, 1 << 24)
RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(("port", "http_port", "grpc_port", "metrics_port", "redis_port"), _PORT),
    **dict.fromkeys(("functions_port", "worker_port", "up_port"), _PORT),
    "job_metrics_port": ("a port from 0 to 65535, or -1 for none", lambda port: -1 <= port <= 65535),
    "ui_port": ("a port from 0 to 65535, or -1 for none", lambda port: -1 <= port <= 65535),
    **dict.fromkeys(("workers", "gateways"), between(0, 256)),
    "threads": between(0, 1024),
    "memory_mb": _SIZE,
    "response_cache_mb": between(0, 1 << 24),
    "cache_mb": between(1, 1 << 30),
    "sources": ("places such as s3://bucket/models,https://host/models, without credentials", _PLACES.fullmatch),
    "job_memory_mb": between(128, 1 << 20),
    "max_body_bytes": between(1, 1 << 31),
    **dict.fromkeys(("server_name", "server_version"), ("printable text of at most 128 characters", _is_label)),
    "max_in_flight": between(1, 1_000_000),
    **dict.fromkeys(("max_connections", "max_connections_each", "max_in_flight_each"), between(0, 1_000_000)),
    "max_head_bytes": between(1024, 1 << 20),
    "max_headers": between(16, 10_000),
    **dict.fromkeys(("max_tensor_bytes", "max_rows"), between(0, 1 << 31)),
    "cors_origins": ("origins such as https://app.example, with commas between, or *", _ORIGINS.fullmatch),
    "timeout_s": above_0(86400),
    "results_s": between(60, 86400),
    "callbacks": ("URLs such as https://host/path/,http://10.0.0.5:8080/, without credentials", _PREFIXES.fullmatch),
    "drain_s": above_0(86400),
    "max_queue_s": above_0(86400),
    "max_hold_s": above_0(86400),
    "max_load_s": above_0(86400),
    "allow": (f"names with commas between: {', '.join(PERMISSIONS)}", _ALLOW.fullmatch),
    "pool": ("the name of a pool, such as gpu: a-z, 0-9 and '-', at most 32", _POOL.fullmatch),
    "worker_pool": ("pools with 1 to 256 workers, each named once and none 'default': gpu=1,large=2", _are_pools),
    "log_level": ("debug, info, warning or error", {"debug", "info", "warning", "error"}.__contains__),
    "log_format": ("text or json", {"text", "json"}.__contains__),
    "traces": ("a share of requests from 0 to 1", lambda share: 0 <= share <= 1),
    "metrics_models": between(1, 1_000_000),
    "on_gap": ("fail or resume", {"fail", "resume"}.__contains__),
    "cluster_serving_answers": ("v0.10, v0.9 or arrow", {"v0.10", "v0.9", "arrow"}.__contains__),
    "checkpoint_interval": ("a duration such as 5s", re.compile(r"\d{1,9} ?(ms|s|min|m|h)").fullmatch),
    "cluster_serving_ttl": ("a duration such as 7d, or 0s: for ever", re.compile(r"\d{1,9} ?(s|min|h|d)").fullmatch),
    "namespace": ("letters, digits and . _ : - { }", re.compile(r"[\w.:{}-]{1,128}", re.ASCII).fullmatch),
    "host": ("an address such as 127.0.0.1 or 0.0.0.0", _is_host),
    "redis_url": ("redis://host:port/db, rediss://…, redis+sentinel://host/master or unix://…", _is_redis),
}
"""What a field takes, by its name, in every process alike."""

ANY: Final[Mapping[type[Any], Rule]] = {
    int: between(0, 1 << 53), float: above_0(1 << 53), bool: ("yes or no", lambda _: True),
    str: ("text", lambda _: True),
}  # fmt: skip
