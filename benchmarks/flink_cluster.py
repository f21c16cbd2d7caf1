"""Flink as standalone mode runs it: a JobManager, TaskManagers, a lease.

Processes of one machine stand in for pods, and ZooKeeper, which comes with Flink, for the lease that the JobManager
holds at Kubernetes' API server: a session ends when nobody renewed it for as long as the lease lasts. All listen on
loopback, where a killed process refuses connections at once; a node that is cut off refuses nothing.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import yaml
from benchmarks.children import Children

from scurry.job import jars
from scurry.serving import java
from scurry.serving.addresses import LOCAL
from scurry.serving.ports import pick
from scurry.serving.processes import Child, Plan
from scurry.serving.readiness import log_says, until

ROOT: Final = Path(__file__).resolve().parent.parent
MANIFEST: Final = ROOT / "deploy/kustomize/base/scurry.yaml"
LEASE: Final = "high-availability.kubernetes.leader-election.lease-duration"
FLINKS_LEASE: Final = "15 s"
TUNED: Final = ("heartbeat.", "high-availability.kubernetes.leader-election.", "restart-strategy")
"""Beginnings of the settings by which our manifests differ from Flink's defaults in what fail-over takes."""

EXPORTS: Final = "--add-exports=java.base/sun.net.util=ALL-UNNAMED"
"""What a JDK 17 needs besides when Flink's processes are not one; the images have a Java 11."""

ZOOKEEPER: Final = "org.apache.flink.shaded.zookeeper3.org.apache.zookeeper.server.ZooKeeperServerMain"
SIZES: Final = "org.apache.flink.runtime.util.bash.BashJavaUtils"
SAID: Final = "BASH_JAVA_UTILS_EXEC_RESULT:"
JOB_MANAGER: Final = "io.scurry.job.Standalone"
"""In the place of what Flink's scripts start, which is in flink-dist alone; told its folder by FLINK_CONF_DIR."""
TASK_MANAGER: Final = "org.apache.flink.runtime.taskexecutor.TaskManagerRunner"
REGISTERED: Final = "Successful registration at resource manager"
START_S: Final = 60.0


def manifest(name: str) -> str:
    """A file of the ConfigMap that the standalone manifests mount."""
    objects = [one for one in yaml.safe_load_all(MANIFEST.read_text()) if one]
    return next(str(one["data"][name]) for one in objects if name in one.get("data", {}))


def shipped() -> dict[str, str]:
    """Flink's settings as our manifests have them."""
    return {key: str(value) for key, value in yaml.safe_load(manifest("flink-conf.yaml")).items()}


def untuned() -> dict[str, str]:
    """The same without what they say about heartbeats, the lease and restarts."""
    return {key: value for key, value in shipped().items() if not key.startswith(TUNED)}


class Cluster:
    """The processes of one cluster, with their files in one folder. `environ` is what `module.yaml` reads."""

    def __init__(self, folder: Path, settings: Mapping[str, str], environ: Mapping[str, str]) -> None:
        self._folder, self._environ = folder, dict(environ)
        self._java, self._job = java.find(os.environ), jars.find(os.environ)
        self._classpath = self._job.classpath
        self._ports = pick([("", 0, 0, LOCAL)] * 4)
        self._settings = {**settings, **self._local(settings)}
        self._conf = folder / "conf"
        self._children = Children()

    @property
    def rest_url(self) -> str:
        """Flink's REST."""
        return f"http://{LOCAL}:{self._ports[3]}"

    @property
    def checkpoints(self) -> Path:
        """Where they lie."""
        return self._folder / "checkpoints"

    def _local(self, settings: Mapping[str, str]) -> dict[str, str]:
        """What one machine has that a Kubernetes cluster has not, and the other way round."""
        lease_s = int(settings.get(LEASE, FLINKS_LEASE).removesuffix(" s"))
        zookeeper, rpc, blob, rest = map(str, self._ports)
        hosts = ("jobmanager.rpc.address", "jobmanager.bind-host", "rest.address", "rest.bind-address")
        folders = {"io.tmp.dirs": "tmp", "blob.storage.directory": "tmp", "web.tmpdir": "tmp"}
        places = {"high-availability.storageDir": "ha", "state.checkpoints.dir": "checkpoints"}
        return {
            "high-availability": "zookeeper",
            "high-availability.zookeeper.quorum": f"{LOCAL}:{zookeeper}",
            "high-availability.zookeeper.client.session-timeout": str(lease_s * 1000),
            "high-availability.jobmanager.port": rpc,
            "jobmanager.rpc.port": rpc,
            "blob.server.port": blob,
            "rest.port": rest,
            "taskmanager.host": LOCAL,
            "taskmanager.bind-host": LOCAL,
            "state.savepoints.dir": (self._folder / "savepoints").as_uri(),
            **dict.fromkeys(hosts, LOCAL),
            **{key: str(self._folder / name) for key, name in folders.items()},
            **{key: (self._folder / name).as_uri() for key, name in places.items()},
        }

    async def start(self) -> tuple[Child, Child]:
        """The JobManager, and the TaskManager that runs the job."""
        for name in ("conf", "tmp", "logs", "zookeeper"):
            (self._folder / name).mkdir(parents=True)
        (self._conf / "flink-conf.yaml").write_text(
            "".join(f"{key}: {value}\n" for key, value in self._settings.items())
        )
        (self._conf / "log4j.properties").write_text(manifest("log4j-console.properties"))
        (self._conf / "zoo.cfg").write_text(
            f"tickTime=500\nmaxSessionTimeout=60000\nadmin.enableServer=false\ndataDir={self._folder / 'zookeeper'}\n"
            f"clientPort={self._ports[0]}\nclientPortAddress={LOCAL}\n"
        )
        await self._run("zookeeper", ("-Xmx128m",), ZOOKEEPER, str(self._conf / "zoo.cfg"))
        manager = await self._flink("jobmanager", JOB_MANAGER, ("--module", str(self._job.module)))
        return manager, await self.add_task_manager()

    async def add_task_manager(self) -> Child:
        """One more, once it is known to the JobManager."""
        (port,) = pick([("", 0, 0, LOCAL)])
        name = f"taskmanager-{len(self._children) - 1}"
        added = await self._flink(name, TASK_MANAGER, ("-D", f"taskmanager.rpc.port={port}"))
        await until(lambda: log_says(added, REGISTERED), added, name, START_S)
        return added

    async def _flink(self, name: str, entry: str, words: tuple[str, ...]) -> Child:
        """Start it with the memory that Flink's own scripts would give it."""
        which = "GET_JM_RESOURCE_PARAMS" if entry == JOB_MANAGER else "GET_TM_RESOURCE_PARAMS"
        command = [self._java, "-cp", self._classpath, SIZES, which, "--configDir", str(self._conf)]
        asked = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, check=True)
        said = [line.removeprefix(SAID).split() for line in asked.stdout.splitlines() if line.startswith(SAID)]
        jvm, flags = said[0], said[1] if len(said) > 1 else []
        configured = () if entry == JOB_MANAGER else ("--configDir", str(self._conf))
        return await self._run(name, jvm, entry, *configured, *flags, *words)

    async def _run(self, name: str, jvm: tuple[str, ...] | list[str], *words: str) -> Child:
        logging = f"-Dlog4j.configurationFile={self._conf / 'log4j.properties'}"
        command = [self._java, *jars.OPENS, EXPORTS, *jvm, logging, "-cp", self._classpath, *words]
        environ = self._environ | {"FLINK_CONF_DIR": str(self._conf)}
        return await self._children.run(Plan(name, command, self._folder / "logs" / f"{name}.log", environ))

    async def stop(self) -> None:
        """End every process now; nothing of theirs is kept."""
        await self._children.stop()

    def __repr__(self) -> str:
        return f"<Cluster {self._folder}, {self._children!r}>"
