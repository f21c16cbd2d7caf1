"""What the rehearsal runs: each process as the chart has its pod."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import yaml
from containers import Plan
from tests.doubling import save_double

ROOT: Final = Path(__file__).resolve().parents[2]
REDIS: Final = "redis://127.0.0.1:6379/0"
OURS: Final = 10001
FLINKS: Final = 9999
BY_SIGTERM: Final = (143,)
"""A JVM that ends by it says so; ours ends as one that is done."""

FLINK: Final = {
    "classloader.parent-first-patterns.additional":
        "org.apache.flink.statefun;org.apache.kafka;com.google.protobuf;io.scurry",
    "execution.checkpointing.interval": "2 s",
    "execution.shutdown-on-application-finish": "false",
    "state.backend": "hashmap",
    "state.checkpoints.dir": "file:///opt/flink/state/checkpoints",
    "state.savepoints.dir": "file:///opt/flink/state/savepoints",
    "heartbeat.interval": "2000",
    "heartbeat.timeout": "8000",
    "restart-strategy": "exponential-delay",
    "taskmanager.numberOfTaskSlots": "1",
    "parallelism.default": "1",
    "metrics.reporters": "prom",
    "metrics.reporter.prom.factory.class": "org.apache.flink.metrics.prometheus.PrometheusReporterFactory",
    "metrics.reporter.prom.port": "9249-9250",  # both are in one network here
    "jobmanager.rpc.port": "6123",
    "blob.server.port": "6124",
    "taskmanager.rpc.port": "6122",
    "rest.port": "8081",
    "jobmanager.rpc.address": "127.0.0.1",
    "jobmanager.memory.process.size": "1280m",
    "taskmanager.memory.process.size": "1408m",
}
"""The chart's settings (development), without Kubernetes' high availability, which wants an API server."""


@dataclass(frozen=True, slots=True)
class Part:
    """A process: its image, its pod, the URLs that say it lives and it serves, the statuses it may end with."""

    image: str
    plan: Plan
    live: str
    ready: str
    ends: tuple[int, ...] = (0,)


class Volumes:
    """What pods mount, made in one folder: owned by root, readable by the group, as Kubernetes projects a Secret."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o755)
        self.redis, self.job_redis = (self._files(f"redis-{user}", {"url": REDIS}, user) for user in (OURS, FLINKS))
        self.module = self._files("module", {"module.yaml": (ROOT / "module.yaml").read_text()})
        settings = "".join(f"{key}: {value}\n" for key, value in FLINK.items())
        logging = (ROOT / "deploy/images/job/log4j-console.properties").read_text()
        self.flink = self._files("flink", {"flink-conf.yaml": settings, "log4j-console.properties": logging})
        version = {"version": "1", "uri": "/models/double.onnx", "runtime": "onnx"}
        declared = {"scurry": 1, "models": {"double": {"versions": [version]}}}
        self.declared = self._files("declared", {"models.json": json.dumps(declared)})
        self.models = self._files("models", {})
        save_double(self.models / "double.onnx").chmod(0o444)
        self.state, self.log, self.fresh = (self._owned(name, FLINKS) for name in ("state", "log", "fresh"))
        self.data = self._owned("data", OURS)

    def _files(self, name: str, texts: Mapping[str, str], group: int = 0) -> Path:
        place = self._folder / name
        place.mkdir(mode=0o755)
        for file, text in texts.items():
            (place / file).write_text(text)
            os.chown(place / file, 0, group)
            (place / file).chmod(0o440 if group else 0o444)
        return place

    def _owned(self, name: str, user: int) -> Path:
        place = self._folder / name
        place.mkdir()
        shutil.chown(place, user, user)
        return place


def ours(name: str, volumes: Volumes, memory_mb: int, drain_s: int, more: Mapping[str, str] | None = None) -> Plan:
    """The pod of a Python process."""
    environ = {"SCURRY_HOST": "0.0.0.0", "SCURRY_NAMESPACE": "scurry", "SCURRY_LOG_FORMAT": "json"}
    environ |= {"SCURRY_DRAIN_S": str(drain_s), **(more or {})}
    mounts = {"/etc/scurry/module": volumes.module} if name == "functions" else {"/etc/scurry/redis": volumes.redis}
    if name == "worker":
        mounts["/models"] = volumes.models
    return Plan(name, [name], memory_mb, drain_s + 10, environ, mounts)


def flinks(name: str, volumes: Volumes, memory_mb: int) -> Plan:
    """The pod of one of Flink's processes; only the JobManager reads module.yaml and what it names."""
    first = name == "jobmanager"
    args = ["-Djobmanager.rpc.address=127.0.0.1", "--module", "/opt/statefun/module.yaml"]
    mounts = {"/opt/flink/conf": volumes.flink}
    environ = {}
    if first:
        mounts |= {"/opt/statefun": volumes.module, "/etc/scurry/redis": volumes.job_redis}
        environ = {"SCURRY_REDIS_URL_FILE": "/etc/scurry/redis/url", "SCURRY_NAMESPACE": "scurry",
                   "SCURRY_FUNCTIONS": "http://127.0.0.1:8100", "SCURRY_WORKERS": "http://127.0.0.1:8110"}  # fmt: skip
    writable = {"/opt/flink/state": volumes.state, "/opt/flink/log": volumes.log}
    words = args if first else ["-Dtaskmanager.host=127.0.0.1"]
    return Plan(name, words, memory_mb, 30, environ, mounts, writable, ["/opt/scurry/start", name])


def parts(volumes: Volumes) -> list[Part]:
    """All that stay, in the order in which they are started."""
    url = {"SCURRY_REDIS_URL_FILE": "/etc/scurry/redis/url"}
    worker = url | {"SCURRY_MODELS_ROOT": "/models", "SCURRY_MEMORY_MB": "768", "SCURRY_THREADS": "1"}
    module = {"SCURRY_MODULE": "/etc/scurry/module/module.yaml"}
    at = "http://127.0.0.1:{}".format
    return [
        Part("functions", ours("functions", volumes, 384, 10, module), at("8100/healthz"), at("8100/readyz")),
        Part("worker", ours("worker", volumes, 1536, 45, worker), at("8110/healthz"), at("8110/readyz")),
        Part("job", flinks("jobmanager", volumes, 1280), at("6123"), at("8081/overview"), BY_SIGTERM),
        Part("job", flinks("taskmanager", volumes, 1408), at("6122"), at("6122"), BY_SIGTERM),
        Part("gateway", ours("gateway", volumes, 768, 20, url), at("8000/v2/health/live"), at("8000/v2/health/ready")),
    ]


def embedded(volumes: Volumes) -> Part:
    """The job as compose has it, both of Flink's processes in one."""
    service = yaml.safe_load((ROOT / "deploy/compose/compose.yaml").read_text())["services"]["job"]
    environ = service["environment"] | {"SCURRY_REDIS_URL": REDIS, "SCURRY_FUNCTIONS": "http://127.0.0.1:8100",
                                        "SCURRY_WORKERS": "http://127.0.0.1:8110"}  # fmt: skip
    plan = Plan("embedded", service["command"], 1600, 20, environ, {}, {"/opt/flink/state": volumes.fresh})
    metrics = "http://127.0.0.1:9249/metrics"
    return Part("job", plan, metrics, metrics)


def all_in_one(volumes: Volumes, command: Sequence[str]) -> Part:
    """Everything in one container, with the words of its image; no longer than `docker stop` would be told to wait."""
    plan = Plan("all-in-one", command, 4096, 60, {}, {}, {"/data": volumes.data})
    at = "http://127.0.0.1:8000/v2/health/"
    return Part("all-in-one", plan, f"{at}live", f"{at}ready")


def stopping() -> Plan:
    """`scurry job stop`, in the gateway's image."""
    return Plan("stop", ["job", "stop", "--flink-url", "http://127.0.0.1:8081", "--json"], 256, 10)


def going_on(part: Part, savepoint: str) -> Part:
    """The JobManager that begins there, told as `scurry job upgrade` and `rescale` tell it."""
    words = [f"-Dexecution.savepoint.path={savepoint}", "-Dparallelism.default=1", *part.plan.args]
    return replace(part, plan=replace(part.plan, name="jobmanager-2", args=words))


def applying(volumes: Volumes) -> Plan:
    """The chart's Job that applies the declared models, in the gateway's image."""
    mounts = {"/etc/scurry/redis": volumes.redis, "/etc/scurry/models": volumes.declared}
    environ = {"SCURRY_REDIS_URL_FILE": "/etc/scurry/redis/url", "SCURRY_NAMESPACE": "scurry"}
    return Plan("models", ["models", "apply", "/etc/scurry/models/models.json", "--yes"], 256, 10, environ, mounts)
