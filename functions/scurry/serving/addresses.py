"""Where the processes of one `scurry up` listen."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from scurry.serving.ports import pick
from scurry.settings import UpSettings

LOCAL = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Addresses:
    """One port for each process, chosen once and kept over restarts. `redis` is 0 when Redis is not ours."""

    host: str
    redis_url: str
    redis: int
    functions: int
    workers: tuple[int, ...]
    http: int
    grpc: int
    metrics: int
    ui: int

    @property
    def http_url(self) -> str:
        """Where callers find the gateway."""
        return f"http://{shown(self.host)}:{self.http}"

    @property
    def grpc_address(self) -> str:
        """Where callers find gRPC."""
        return f"{shown(self.host)}:{self.grpc}"

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

    def ports(self) -> dict[str, Any]:
        """To be preferred the next time."""
        return {name: port for name, port in asdict(self).items() if name not in ("host", "redis_url")}


def choose(settings: UpSettings, workers: int, preferred: dict[str, Any]) -> Addresses:
    """Ports as given, else as last time, else any free ones. Raises `PortTaken`."""

    def last(name: str) -> int:
        port = preferred.get(name)
        return port if isinstance(port, int) and port > 0 else 0

    before = [port for port in preferred.get("workers", ()) if isinstance(port, int)]
    given = [(f"--worker-port {settings.worker_port}", settings.worker_port + n) for n in range(workers)]
    inner = [
        ("--redis-port", settings.redis_port, last("redis")),
        ("--functions-port", settings.functions_port, last("functions")),
        ("--ui-port", max(settings.ui_port, 0), last("ui")),
        *(
            (flag, port if settings.worker_port else 0, before[n] if n < len(before) else 0)
            for n, (flag, port) in enumerate(given)
        ),
    ]
    outer = [
        ("--http-port", settings.http_port, last("http")),
        ("--grpc-port", settings.grpc_port, last("grpc")),
        ("--metrics-port", settings.metrics_port, last("metrics")),
    ]
    ports = pick([(*wanted, LOCAL) for wanted in inner] + [(*wanted, settings.host) for wanted in outer])
    redis, functions, ui, *worker_ports = ports[: len(inner)]
    http, grpc, metrics = ports[len(inner) :]
    return Addresses(
        host=settings.host,
        redis_url=settings.redis_url or f"redis://{LOCAL}:{redis}/0",
        redis=0 if settings.redis_url else redis,
        functions=functions,
        workers=tuple(worker_ports),
        http=http,
        grpc=grpc,
        metrics=metrics,
        ui=ui if settings.ui_port >= 0 else -1,
    )


def shown(host: str) -> str:
    """A host that can be typed: every interface is also this machine."""
    return LOCAL if host in ("", "0.0.0.0", "::") else host
