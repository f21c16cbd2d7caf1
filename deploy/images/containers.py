"""A container as Kubernetes starts one under the restricted standard."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

NAMESPACES: Final = ("pid", "ipc", "uts", "mount")
"""The network is that of who starts it: all containers of one rehearsal are in one."""
MASKED: Final = [f"/proc/{name}" for name in ("acpi", "kcore", "keys", "latency_stats", "timer_list", "sched_debug")]
READ_ONLY: Final = [f"/proc/{name}" for name in ("bus", "fs", "irq", "sys", "sysrq-trigger")]
HOSTS: Final = "127.0.0.1 localhost\n127.0.0.1 {name}\n"


class Wrong(Exception):
    """Something was not as it should be; the sentence says what."""


def said(*words: str) -> str:
    """What a command prints. Raises `Wrong` with what it says when it fails."""
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise Wrong(f"{' '.join(words)} failed: {done.stderr.strip()}")
    return done.stdout.strip()


class Image:
    """An image of buildah's, its files mounted."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.config: dict[str, Any] = json.loads(said("buildah", "inspect", "--type", "image", name))["OCIv1"]["config"]
        self._container = said("buildah", "from", "--pull-never", name)
        self.root = Path(said("buildah", "mount", self._container))

    @property
    def user(self) -> int:
        """The number that it runs as unless told."""
        return int(self.config["User"].partition(":")[0])

    def close(self) -> None:
        """Take the mount away; the image stays."""
        said("buildah", "rm", self._container)

    def __repr__(self) -> str:
        return f"<Image {self.name}>"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a pod says of one container. Mounts are a place inside and one outside; only `writable` can be written."""

    name: str
    args: Sequence[str]
    memory_mb: int
    grace_s: float
    environ: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    writable: Mapping[str, Path] = field(default_factory=dict)
    command: Sequence[str] = ()
    """In the place of the image's entry point."""


def spec(image: Image, plan: Plan, hosts: Path, name: str) -> dict[str, Any]:
    """The container as runc takes it; `name` is that of its control group."""
    user = {"uid": image.user, "gid": image.user, "additionalGids": [image.user]}
    process: dict[str, Any] = {
        "terminal": False,
        "user": user,
        "args": [*(plan.command or image.config["Entrypoint"]), *plan.args],
        "env": [*image.config["Env"], *(f"{key}={value}" for key, value in plan.environ.items())],
        "cwd": image.config.get("WorkingDir") or "/",
        "capabilities": {kind: [] for kind in ("bounding", "effective", "inheritable", "permitted", "ambient")},
        "noNewPrivileges": True,
    }
    resources = {"memory": {"limit": plan.memory_mb << 20}, "devices": [{"allow": False, "access": "rwm"}]}
    linux = {
        "namespaces": [{"type": kind} for kind in NAMESPACES],
        "resources": resources,
        "cgroupsPath": f"/{name}",
        "maskedPaths": MASKED,
        "readonlyPaths": READ_ONLY,
    }
    root = {"path": str(image.root), "readonly": True}
    mounts = [*_kernels(), _tmp(), *_binds({"/etc/hosts": hosts, **plan.mounts}, "ro"), *_binds(plan.writable, "rw")]
    whole = {"process": process, "root": root, "hostname": plan.name, "mounts": mounts, "linux": linux}
    return {"ociVersion": "1.0.2", **whole}


def _kernels() -> list[dict[str, Any]]:
    """What every container has of the kernel's."""
    kinds = (("proc", "/proc", ["nosuid", "noexec", "nodev"]), ("tmpfs", "/dev", ["nosuid", "mode=755", "size=65536k"]),
             ("tmpfs", "/dev/shm", ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]),
             ("sysfs", "/sys", ["nosuid", "noexec", "nodev", "ro"]))  # fmt: skip
    return [{"type": kind, "source": kind, "destination": to, "options": options} for kind, to, options in kinds]


def _tmp() -> dict[str, Any]:
    """The one place where it may write."""
    return {"type": "tmpfs", "source": "tmpfs", "destination": "/tmp", "options": ["nosuid", "nodev", "mode=1777"]}


def _binds(places: Mapping[str, Path], mode: str) -> list[dict[str, Any]]:
    options = ["rbind", mode, "nosuid", "nodev"]
    return [{"type": "bind", "source": str(of), "destination": to, "options": options} for to, of in places.items()]


def liberties(status: str, mounts: str, user: int) -> list[str]:
    """What a process may do though it should not, by what the kernel says of it: /proc/PID/status and mountinfo."""
    facts = {name: value.strip() for name, _, value in (line.partition(":") for line in status.splitlines())}
    options = [line.split()[5].split(",") for line in mounts.splitlines() if line.split()[4] == "/"]
    wrong = {
        f"is not user {user}": set(facts["Uid"].split()) != {str(user)},
        "is root": "0" in facts["Uid"].split(),
        "has capabilities": any(int(facts[kind], 16) for kind in ("CapEff", "CapPrm", "CapBnd", "CapAmb")),
        "may gain privileges": facts["NoNewPrivs"] != "1",
        "may write into its root": "ro" not in options[-1],
    }
    return [text for text, holds in wrong.items() if holds]


class Container:
    """A process in an image. What it prints goes into a file of its folder."""

    def __init__(self, image: Image, plan: Plan, folder: Path) -> None:
        self.plan, self._folder = plan, folder / plan.name
        self._folder.mkdir()
        hosts = self._folder / "hosts"
        hosts.write_text(HOSTS.format(name=plan.name))
        self.log = self._folder / "log"
        self._user, self._id = image.user, f"{folder.name}-{plan.name}"
        (self._folder / "config.json").write_text(json.dumps(spec(image, plan, hosts, self._id)))
        pid_file = self._folder / "pid"
        words = ("runc", "run", "--bundle", str(self._folder), "--pid-file", str(pid_file), self._id)
        with self.log.open("wb") as log:
            self._runner = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        while not pid_file.exists() and self._runner.poll() is None:
            time.sleep(0.05)
        self.pid = int(pid_file.read_text()) if pid_file.exists() else 0

    @property
    def status(self) -> int | None:
        """Its exit status; 128 and the signal that ended it; None while it runs."""
        return self._runner.poll()

    def wait(self, seconds: float) -> int:
        """Its exit status. Raises `subprocess.TimeoutExpired`."""
        return self._runner.wait(seconds)

    def terminate(self) -> None:
        """SIGTERM to its first process, as the kubelet sends it."""
        said("runc", "kill", self._id, "TERM")

    def liberties(self) -> list[str]:
        """What it may do though it should not."""
        status, mounts = (Path(f"/proc/{self.pid}/{name}").read_text() for name in ("status", "mountinfo"))
        return [f"{self.plan.name} {text}" for text in liberties(status, mounts, self._user)]

    def close(self) -> None:
        """End it now, if it runs, and forget it."""
        if self._runner.poll() is None:
            subprocess.run(("runc", "delete", "--force", self._id), check=False, capture_output=True)
        self._runner.wait(30)

    def __repr__(self) -> str:
        return f"<Container {self.plan.name}, pid {self.pid}, status {self.status}>"
