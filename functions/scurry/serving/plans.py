"""What `scurry up` runs: one plan for each process."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scurry.job.jars import Job
from scurry.serving import graces, java, pools, redis_server
from scurry.serving.addresses import LOCAL, Addresses
from scurry.serving.folder import Folder, expanded
from scurry.serving.processes import Plan
from scurry.settings import PREFIX, CommonSettings, FunctionsSettings, GatewaySettings, UpSettings, WorkerSettings

PROCESSES: Final = {"functions": FunctionsSettings, "worker": WorkerSettings, "gateway": GatewaySettings}
BRIEF: Final = frozenset({"functions", "gateway", "bridge"})
"""Processes that do nothing that takes long."""
JOB_CURE: Final = (
    "To go on regardless: `scurry up --on-gap resume` where Redis lacks entries, "
    "`--forget-checkpoints` where no checkpoint can be restored (models are registered anew then)."
)


class Plans:
    """Commands and environments of all processes. They differ from those of a container in nothing but addresses."""

    def __init__(
        self,
        settings: UpSettings,
        addresses: Addresses,
        folder: Folder,
        environ: Mapping[str, str],
        shared: Path | None = None,
    ) -> None:
        """With `shared`, workers find there what callers on this machine leave."""
        self._settings = settings
        self._shared = shared
        self._at = addresses
        self._folder = folder
        self._environ = environ
        self._inherited = {name: value for name, value in environ.items() if not name.startswith(PREFIX)}

    def redis(self, server: redis_server.Server) -> Plan:
        """Our own Redis. Raises `MissingRedis` when it is older than the data."""
        data = self._folder.sub("redis")
        redis_server.claim(server, data)
        command = redis_server.command(server.path, self._at.redis, data, self._at.redis_socket)
        return self._plan("redis", command)

    def functions(self, job: Job) -> Plan:
        """Router and registry, which know from the job's module what functions there are."""
        return self._python(
            "functions", "functions", "--host", LOCAL, "--port", self._at.functions,
            "--max-queue-s", self._settings.max_queue_s, "--max-hold-s", self._settings.max_hold_s,
            more={"SCURRY_MODULE": str(job.module)},
        )  # fmt: skip

    def workers(self, cores: int) -> list[Plan]:
        """One plan for each worker; cores are shared out between them."""
        count = len(self._at.workers)
        threads = self._settings.threads or max(1, cores // count)
        memory = max(64, self._settings.memory_mb // count)
        answers = self._settings.response_cache_mb // count
        root = self._settings.models_root
        cache = expanded(self._settings.cache).resolve() if self._settings.cache else self._folder.path / "cache"
        more = {"SCURRY_MODELS_ROOT": str(expanded(root).resolve())} if root else {}
        if self._settings.allow:
            more["SCURRY_ALLOW"] = self._settings.allow
        more |= {"SCURRY_CACHE": str(cache), "SCURRY_CACHE_MB": str(self._settings.cache_mb)}
        if self._settings.sources:
            more["SCURRY_SOURCES"] = self._settings.sources
        if self._shared is not None:
            more["SCURRY_SHARED_PAYLOADS"] = str(self._shared)
        return [
            self._python(
                f"worker-{number}", "worker", "--host", LOCAL, "--port", port, "--threads", threads,
                "--memory-mb", memory, "--response-cache-mb", answers,
                "--max-load-s", self._settings.max_load_s, *pools.flag(pool), more=more,
            )
            for number, (port, pool) in enumerate(zip(self._at.workers, self._at.worker_pools, strict=True))
        ]  # fmt: skip

    def gateways(self) -> list[Plan]:
        """The doors. The key goes by the environment, because everybody sees a command line.

        Each has the whole of the limits, though all share the machine's memory: what one of them may take at most also
        bounds the largest request, which is not to depend on the number of cores.
        """
        at = self._at
        words, names = ["gateway", "--host", at.host, "--http-port", at.http, "--grpc-port", at.grpc], ["gateway"]
        if at.gateways > 1:
            words.append("--reuse-port")
            names = [f"gateway-{number}" for number in range(at.gateways)]
        more, ports = _of_gateways(self._settings), zip(names, (at.metrics, *at.more_metrics), strict=True)
        return [self._python(name, *words, "--metrics-port", port, more=more) for name, port in ports]

    def bridge(self) -> Plan:
        """What carries Cluster Serving streams over to the job."""
        more = {"PYTHONUNBUFFERED": "1", "SCURRY_REDIS_URL": self._at.inner_redis_url}
        return self._plan("bridge", [sys.executable, "-m", "scurry", "bridge", "--port", str(self._at.bridge)], more)

    def job(self, java_path: str, job: Job) -> Plan:
        """The one Flink job."""
        command = java.command(
            java_path,
            job,
            self._folder.sub("flink"),
            ui_port=self._at.ui,
            memory_mb=self._settings.job_memory_mb,
            checkpoint_interval=self._settings.checkpoint_interval,
            metrics_port=self._at.job_metrics,
        )
        addresses = {
            "SCURRY_FUNCTIONS": self._at.functions_url,
            **pools.addresses(self._at, self._environ),
            "SCURRY_ON_GAP": self._settings.on_gap,
            "SCURRY_CLUSTER_SERVING_TTL": self._settings.cluster_serving_ttl,
        }
        return self._plan("job", command, addresses, JOB_CURE)

    def _python(self, name: str, *words: object, more: Mapping[str, str]) -> Plan:
        kind = graces.kind(name)
        command = [sys.executable, "-m", "scurry", *map(str, words), "--drain-s", str(graces.DRAINS_S[kind])]
        ours = {"PYTHONUNBUFFERED": "1", "SCURRY_REDIS_URL": self._at.inner_redis_url}
        return self._plan(name, command, {**ours, **self._handed_on(kind), **more})

    def _handed_on(self, kind: str) -> dict[str, str]:
        """Settings in our environment that are a process' own and that we do not decide for it."""
        ours = {"port", "drain_s", "reuse_port", "shared_payloads", "pool"}
        names = fields_of(PROCESSES[kind]) - fields_of(UpSettings) - ours
        variables = {PREFIX + name.upper() for name in names}
        return {name: value for name, value in self._environ.items() if name in variables}

    def _plan(self, name: str, command: list[str], more: Mapping[str, str] | None = None, cure: str = "") -> Plan:
        environ = {
            **self._inherited,
            "SCURRY_REDIS_URL": self._at.redis_url,
            "SCURRY_NAMESPACE": self._settings.namespace,
            **sight(self._settings),
            "SCURRY_SEPARATE_REGISTRY": str(int(self._settings.separate_registry)),
            **(more or {}),
        }
        return Plan(name, command, self._folder.log(name), environ, cure, session=graces.kind(name) in BRIEF)


def sight(settings: UpSettings) -> dict[str, str]:
    """What every process is told of logs, metrics and traces."""
    return {
        "SCURRY_LOG_LEVEL": settings.log_level,
        "SCURRY_LOG_FORMAT": settings.log_format,
        "SCURRY_TRACES": str(settings.traces),
        "SCURRY_METRICS_MODELS": str(settings.metrics_models),
    }


def fields_of(cls: type[CommonSettings]) -> set[str]:
    """Names of a process' settings."""
    return {field.name for field in dataclasses.fields(cls)}


def worker_count(asked: int, cores: int) -> int:
    """Workers to run: half as many as there are cores, unless told."""
    return asked or max(1, cores // 2)


def gateway_count(asked: int, cores: int) -> int:
    """Gateways to run: a quarter as many as there are cores, unless told; one where the kernel does not share out."""
    return asked or (max(1, cores // 4) if sys.platform == "linux" else 1)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _of_gateways(settings: UpSettings) -> dict[str, str]:
    """What gateways are told by the environment."""
    more = {
        "SCURRY_MAX_BODY_BYTES": str(settings.max_body_bytes),
        "SCURRY_SERVER_NAME": settings.server_name,
        "SCURRY_SERVER_VERSION": settings.server_version,
        "SCURRY_CLUSTER_SERVING_ANSWERS": settings.cluster_serving_answers,
        "SCURRY_ACCESS_LOG": str(int(settings.access_log)),
        "SCURRY_CLIENT_SHARED_MEMORY": str(int(settings.client_shared_memory)),
    }
    if settings.admin_key:
        more["SCURRY_ADMIN_KEY"] = settings.admin_key
    if settings.cors_origins:
        more["SCURRY_CORS_ORIGINS"] = settings.cors_origins
    for name in ("api_keys", "tls_cert", "tls_key", "tls_client_ca"):
        if path := getattr(settings, name):
            more[PREFIX + name.upper()] = str(expanded(path).absolute())
    return more
