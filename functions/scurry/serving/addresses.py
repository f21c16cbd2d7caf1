"""Where the processes of one `scurry up` listen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from scurry.serving.ports import pick
from scurry.settings import UpSettings

LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """One port for each process, chosen once and kept over restarts. `redis` is 0 when Redis is not ours.

    The `gateways` share `http` and `metrics`.
    `redis_socket` is a Unix socket of our own Redis, which costs gateway and workers less than its port.
    """

    host: str
    redis_url: str
    redis: int
    functions: int
    workers: tuple[int, ...]
    http: int
    ui: int
    redis_socket: str = ""
    gateways: int = 1
    metrics: int = 0
    is_tls: bool = False
    asks_certificates: bool = False

    @property
    def inner_redis_url(self) -> str:
        """Redis as our Python processes call it."""
        return f"unix://{quote(self.redis_socket)}" if self.redis_socket else self.redis_url

    @property
    def http_url(self) -> str:
        """Where callers find the gateway."""
        return f"http{'s' if self.is_tls else ''}://{shown(self.host)}:{self.http}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus finds the models' counters."""
        return f"http{'s' if self.is_tls else ''}://{shown(self.host)}:{self.metrics}/metrics"

    @property
    def ui_url(self) -> str:
        """Flink's web UI; empty when it is off."""
        return f"http://{LOCAL}:{self.ui}" if self.ui >= 0 else ""

    @property
    def functions_url(self) -> str:
        """The functions process, as the job calls it."""
        return f"http://{LOCAL}:{self.functions}"

    @property
    def worker_urls(self) -> list[str]:
        """The workers, as the job calls them."""
        return [f"http://{LOCAL}:{port}" for port in self.workers]

    def shown(self) -> dict[str, Any]:
        """For those who look for a running `scurry up`."""
        return {
            "redis_url": self.redis_url,
            "http_url": self.http_url,
            "metrics_url": self.metrics_url,
            "ui_url": self.ui_url,
            "functions_url": self.functions_url,
            "worker_urls": self.worker_urls,
            **({"asks_certificates": True} if self.asks_certificates else {}),
        }

    def ports(self) -> dict[str, Any]:
        """To be preferred the next time."""
        named = asdict(self)
        return {name: named[name] for name in ("redis", "functions", "workers", "http", "metrics", "ui")}


Wanted = tuple[str, int, int]
"""A flag, the port it names (0: none), and the port of last time (0: none)."""


def choose(
    settings: UpSettings,
    workers: int,
    preferred: dict[str, Any],
    redis_socket: Path | None = None,
    *,
    gateways: int = 1,
) -> Addresses:
    """Ports as given, else as last time, else any free ones. Raises `PortTaken`."""
    inner, outer = _inner(settings, workers, preferred), _outer(settings, preferred)
    ports = pick([(*wanted, LOCAL) for wanted in inner] + [(*wanted, settings.host) for wanted in outer])
    redis, functions, ui, *worker_ports = ports[: len(inner)]
    http, metrics = ports[len(inner) :]
    return Addresses(
        host=settings.host,
        redis_url=settings.redis_url or f"redis://{LOCAL}:{redis}/0",
        redis=0 if settings.redis_url else redis,
        functions=functions,
        workers=tuple(worker_ports),
        http=http,
        ui=ui if settings.ui_port >= 0 else -1,
        redis_socket=str(redis_socket or "") if not settings.redis_url else "",
        gateways=gateways,
        metrics=metrics,
        is_tls=bool(settings.tls_cert),
        asks_certificates=bool(settings.tls_client_ca),
    )


def _inner(settings: UpSettings, workers: int, preferred: dict[str, Any]) -> list[Wanted]:
    """What only this machine needs to reach: Redis, functions, UI, workers."""
    first, before = settings.worker_port, preferred.get("workers", ())
    wanted = [
        ("--redis-port", settings.redis_port, _port(preferred.get("redis"))),
        ("--functions-port", settings.functions_port, _port(preferred.get("functions"))),
        ("--ui-port", max(settings.ui_port, 0), _port(preferred.get("ui"))),
    ]
    for n in range(workers):
        port = first + n if first else 0
        wanted.append((f"--worker-port {first}", port, _port(before[n]) if n < len(before) else 0))
    return wanted


def _outer(settings: UpSettings, preferred: dict[str, Any]) -> list[Wanted]:
    """What callers reach."""
    return [
        ("--http-port", settings.http_port, _port(preferred.get("http"))),
        ("--metrics-port", settings.metrics_port, _port(preferred.get("metrics"))),
    ]


def _port(kept: object) -> int:
    return kept if isinstance(kept, int) and kept > 0 else 0


def shown(host: str) -> str:
    """A host that can be typed: every interface is also this machine."""
    return LOCAL if host in ("", "0.0.0.0", "::") else host
