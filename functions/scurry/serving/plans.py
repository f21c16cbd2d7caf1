"""What `scurry up` runs: one plan for each process."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from scurry.job.jars import Job
from scurry.serving import graces, java, redis_server
from scurry.serving.addresses import LOCAL, Addresses
from scurry.serving.folder import Folder
from scurry.serving.processes import Plan
from scurry.settings import PREFIX, UpSettings

JOB_CURE: Final = (
    "To go on regardless: `scurry up --on-gap resume` where Redis lacks entries, "
    "`--forget-checkpoints` where no checkpoint can be restored (models are registered anew then)."
)


class Plans:
    """Commands and environments of all processes. They differ from those of a container in nothing but addresses."""

    def __init__(self, settings: UpSettings, addresses: Addresses, folder: Folder, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._at = addresses
        self._folder = folder
        self._inherited = {name: value for name, value in environ.items() if not name.startswith(PREFIX)}

    def redis(self, server: redis_server.Server) -> Plan:
        """Our own Redis. Raises `MissingRedis` when it is older than the data."""
        data = self._folder.sub("redis")
        redis_server.claim(server, data)
        command = redis_server.command(server.path, self._at.redis, data)
        return self._plan("redis", command)

    def functions(self) -> Plan:
        """Router and registry."""
        return self._python(
            "functions", "functions", "--host", LOCAL, "--port", self._at.functions,
            "--max-queue-s", self._settings.max_queue_s, "--max-hold-s", self._settings.max_hold_s,
            *(("--module", Path(self._settings.module).resolve()) if self._settings.module else ()),
        )  # fmt: skip

    def workers(self, cores: int) -> list[Plan]:
        """One plan for each worker; cores are shared out between them."""
        count = len(self._at.workers)
        threads = self._settings.threads or max(1, cores // count)
        memory = max(64, self._settings.memory_mb // count)
        return [
            self._python(
                f"worker-{number}", "worker", "--host", LOCAL, "--port", port, "--threads", threads,
                "--memory-mb", memory,
            )
            for number, port in enumerate(self._at.workers)
        ]  # fmt: skip

    def gateway(self) -> Plan:
        """The doors."""
        at = self._at
        return self._python(
            "gateway", "gateway", "--host", at.host, "--http-port", at.http, SCURRY_ADMIN_KEY=self._settings.admin_key
        )

    def job(self, java_path: str, job: Job) -> Plan:
        """The one Flink job."""
        command = java.command(
            java_path,
            job,
            self._folder.sub("flink"),
            ui_port=self._at.ui,
            memory_mb=self._settings.job_memory_mb,
            checkpoint_interval=self._settings.checkpoint_interval,
        )
        addresses = {
            "SCURRY_FUNCTIONS": self._at.functions_url,
            "SCURRY_WORKERS": ",".join(self._at.worker_urls),
            "SCURRY_ON_GAP": self._settings.on_gap,
        }
        return self._plan("job", command, addresses, JOB_CURE)

    def _python(self, name: str, *words: object, **environ: str) -> Plan:
        drain = ("--drain-s", graces.DRAINS_S[graces.kind(name)])
        command = [sys.executable, "-m", "scurry", *map(str, (*words, *drain))]
        return self._plan(name, command, {"PYTHONUNBUFFERED": "1", **environ})

    def _plan(self, name: str, command: list[str], more: Mapping[str, str] | None = None, cure: str = "") -> Plan:
        environ = {
            **self._inherited,
            "SCURRY_REDIS_URL": self._at.redis_url,
            "SCURRY_NAMESPACE": self._settings.namespace,
            "SCURRY_LOG_LEVEL": self._settings.log_level,
            "SCURRY_SEPARATE_REGISTRY": str(int(self._settings.separate_registry)),
            **(more or {}),
        }
        return Plan(name, command, self._folder.log(name), environ, cure)


def worker_count(asked: int, cores: int) -> int:
    """Workers to run: half as many as there are cores, unless told."""
    return asked or max(1, cores // 2)


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
