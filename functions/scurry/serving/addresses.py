"""Where the processes of one `scurry up` listen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from scurry.serving.ports import pick
from scurry.settings import UpSettings
from scurry.wire.pools import DEFAULT_POOL

LOCAL = "127.0.0.1"
PREFERRED: Final = (
    "redis", "functions", "workers", "http", "grpc", "metrics", "more_metrics", "bridge", "up", "job_metrics", "ui",
)  # fmt: skip
"""Ports that are kept over restarts."""


@dataclass(frozen=True, slots=True)
class Addresses:
    """One port for each process, chosen once and kept over restarts. `redis` is 0 when Redis is not ours.

    The `gateways` share `http` and `grpc`; each has metrics of its own, the first at `metrics`, the others at
    `more_metrics`. `up` is the supervisor's own page, `job_metrics` Flink's, -1 when it is off.
    `pools` names each worker's pool; without it all are of the default one.
    `redis_socket` is a Unix socket of our own Redis, which costs gateway and workers less than its port.
    """

    host: str
    redis_url: str
    redis: int
    functions: int
    workers: tuple[int, ...]
    http: int
    ui: int
    pools: tuple[str, ...] = ()
    redis_socket: str = ""
    gateways: int = 1
    metrics: int = 0
    grpc: int = 0
    more_metrics: tuple[int, ...] = ()
    bridge: int = 0
    up: int = 0
    job_metrics: int = -1
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
    def grpc_url(self) -> str:
        """Where callers find the gateway's gRPC."""
        return f"grpc://{shown(self.host)}:{self.grpc}"

    @property
    def metrics_url(self) -> str:
        """Where Prometheus finds the models' counters."""
        return f"http{'s' if self.is_tls else ''}://{shown(self.host)}:{self.metrics}/metrics"

    @property
    def metrics_urls(self) -> list[str]:
        """The page of each gateway, the first one's first."""
        return [f"http://{shown(self.host)}:{port}/metrics" for port in (self.metrics, *self.more_metrics)]

    @property
    def bridge_url(self) -> str:
        """The bridge's own pages."""
        return f"http://{LOCAL}:{self.bridge}"

    @property
    def up_url(self) -> str:
        """The supervisor's own page."""
        return f"http://{LOCAL}:{self.up}"

    @property
    def job_metrics_url(self) -> str:
        """Where Prometheus finds Flink's metrics; empty when they are off."""
        return f"http://{LOCAL}:{self.job_metrics}/metrics" if self.job_metrics >= 0 else ""

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

    @property
    def worker_pools(self) -> list[str]:
        """The pool of each worker."""
        return list(self.pools or [DEFAULT_POOL] * len(self.workers))

    def shown(self) -> dict[str, Any]:
        """For those who look for a running `scurry up`."""
        return {
            "redis_url": self.redis_url,
            "http_url": self.http_url,
            "grpc_url": self.grpc_url,
            "metrics_url": self.metrics_url,
            "metrics_urls": self.metrics_urls,
            "bridge_url": self.bridge_url,
            "up_url": self.up_url,
            "job_metrics_url": self.job_metrics_url,
            "ui_url": self.ui_url,
            "functions_url": self.functions_url,
            "worker_urls": self.worker_urls,
            "worker_pools": self.worker_pools,
            **({"asks_certificates": True} if self.asks_certificates else {}),
        }

    def ports(self) -> dict[str, Any]:
        """To be preferred the next time."""
        named = asdict(self)
        return {name: named[name] for name in PREFERRED}


Wanted = tuple[str, int, int]
"""A flag, the port it names (0: none), and the port of last time (0: none)."""


def choose(
    settings: UpSettings,
    workers: int,
    preferred: dict[str, Any],
    redis_socket: Path | None = None,
    *,
    gateways: int = 1,
    pools: tuple[str, ...] = (),
) -> Addresses:
    """Ports as given, else as last time, else any free ones. Raises `PortTaken`.

    `pools` names the pool of each worker, where there are others than the default one.
    """
    inner, outer = _inner(settings, len(pools) or workers, preferred), _outer(settings, preferred, gateways)
    ports = pick([(*wanted, LOCAL) for wanted in inner] + [(*wanted, settings.host) for wanted in outer])
    redis, functions, ui, up, bridge, job_metrics, *worker_ports = ports[: len(inner)]
    http, grpc, metrics, *more_metrics = ports[len(inner) :]
    return Addresses(
        host=settings.host,
        redis_url=settings.redis_url or f"redis://{LOCAL}:{redis}/0",
        redis=0 if settings.redis_url else redis,
        functions=functions,
        workers=tuple(worker_ports), pools=pools,
        http=http, grpc=grpc, metrics=metrics, more_metrics=tuple(more_metrics), bridge=bridge, up=up,
        ui=ui if settings.ui_port >= 0 else -1,
        redis_socket=str(redis_socket or "") if not settings.redis_url else "",
        gateways=gateways,
        job_metrics=job_metrics if settings.job_metrics_port >= 0 else -1,
        is_tls=bool(settings.tls_cert),
        asks_certificates=bool(settings.tls_client_ca),
    )  # fmt: skip


def _inner(settings: UpSettings, workers: int, preferred: dict[str, Any]) -> list[Wanted]:
    """What only this machine needs to reach: Redis, functions, UI, pages of supervisor, bridge and job, workers."""
    first, before = settings.worker_port, preferred.get("workers", ())
    wanted = [
        ("--redis-port", settings.redis_port, _port(preferred.get("redis"))),
        ("--functions-port", settings.functions_port, _port(preferred.get("functions"))),
        ("--ui-port", max(settings.ui_port, 0), _port(preferred.get("ui"))),
        ("--up-port", settings.up_port, _port(preferred.get("up"))),
        ("the bridge", 0, _port(preferred.get("bridge"))),
        ("--job-metrics-port", max(settings.job_metrics_port, 0), _port(preferred.get("job_metrics"))),
    ]
    for n in range(workers):
        port = first + n if first else 0
        wanted.append((f"--worker-port {first}", port, _port(before[n]) if n < len(before) else 0))
    return wanted


def _outer(settings: UpSettings, preferred: dict[str, Any], gateways: int) -> list[Wanted]:
    """What callers reach."""
    before = preferred.get("more_metrics", ())
    return [
        ("--http-port", settings.http_port, _port(preferred.get("http"))),
        ("--grpc-port", settings.grpc_port, _port(preferred.get("grpc"))),
        ("--metrics-port", settings.metrics_port, _port(preferred.get("metrics"))),
        *(("--metrics-port", 0, _port(before[n]) if n < len(before) else 0) for n in range(gateways - 1)),
    ]


def _port(kept: object) -> int:
    return kept if isinstance(kept, int) and kept > 0 else 0


def shown(host: str) -> str:
    """A host that can be typed: every interface is also this machine."""
    return LOCAL if host in ("", "0.0.0.0", "::") else host
