"""The system under fire: one `scurry up` after the other over the same directory."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

START_S = 240.0
READY = "scurry is ready"
FULL = "No space left on device"


class NotReady(Exception):
    """It did not start; the sentence holds what it said last."""


class Stack:
    """A running `scurry up`. It is started again by us when it is killed, its children by itself."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self.dir = folder
        self.lines: list[str] = []
        self._flags = flags
        self.process: subprocess.Popen[str]
        self.start()
        self.redis_url: str = self.info["redis_url"]
        self.http_url: str = self.info["http_url"]

    def start(self) -> None:
        """Start and wait until it says that it is ready. Raises `NotReady`.

        Where it ends because the disk is full, which it says, it is started again, as a service manager would do.
        """
        end = time.monotonic() + START_S
        while READY not in (said := self._try_to_start(end)):
            self.process.kill()
            self.process.wait(10)
            if FULL not in said or time.monotonic() > end:
                raise NotReady(f"scurry up did not get ready:\n{said}")
            time.sleep(1)

    def _try_to_start(self, end: float) -> str:
        """What it says until it is ready, ends, or the time is over."""
        command = [sys.executable, "-m", "scurry", "up", "--dir", str(self.dir), *self._flags]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environ
        )
        told, begin = threading.Event(), len(self.lines)
        threading.Thread(target=self._read, args=(self.process, told), daemon=True).start()
        told.wait(max(0.0, end - time.monotonic()))
        return "".join(self.lines[begin:])

    def _read(self, process: subprocess.Popen[str], said: threading.Event) -> None:
        assert process.stdout
        with process.stdout:
            for line in process.stdout:
                self.lines.append(line)
                if READY in line:
                    said.set()
        said.set()

    @property
    def info(self) -> dict[str, Any]:
        """Addresses and processes, as `scurry up` wrote them last; empty while it writes none."""
        try:
            info: dict[str, Any] = json.loads((self.dir / "scurry.json").read_text())
        except (OSError, ValueError):
            return {}
        return info

    def pids(self) -> dict[str, int]:
        """The processes by name, `up` among them; those that do not run just now are missing."""
        processes = self.info.get("processes", {})
        alive = {name: told["pid"] for name, told in processes.items() if told["pid"] and exists(told["pid"])}
        return alive | ({"up": self.process.pid} if self.process.poll() is None else {})

    def belongings(self) -> list[int]:
        """Every process that has our directory in its command line or works for one that has."""
        mark = str(self.dir).encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark in (entry / "cmdline").read_bytes() and int(entry.name) != os.getpid():
                    found.append(int(entry.name))
            except OSError:
                continue
        return found

    def job_restarts(self) -> int | None:
        """How often Flink has restarted the job in this Java; None when it does not say."""
        try:
            jobs = fetch(f"{self.info['ui_url']}/jobs")["jobs"]
            told = fetch(f"{self.info['ui_url']}/jobs/{jobs[0]['id']}/metrics?get=numRestarts")
            return int(told[0]["value"])
        except (OSError, ValueError, KeyError, IndexError, TypeError):
            return None

    def kill(self) -> list[int]:
        """SIGKILL `scurry up` itself; what is still there some seconds later."""
        before = set(self.pids().values()) | set(self.belongings())
        self.process.kill()
        self.process.wait(10)
        end = time.monotonic() + 10
        while time.monotonic() < end and any(exists(pid) for pid in before):
            time.sleep(0.1)
        return [pid for pid in before if exists(pid)]

    def stop(self) -> list[int]:
        """Ask it to stop, as Ctrl-C does; what is still there afterwards, which is then killed."""
        before = set(self.pids().values()) | set(self.belongings())
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                return [self.process.pid, *self.kill()]
        left = [pid for pid in before if exists(pid)]
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        return left


def exists(pid: int) -> bool:
    """Whether the process is there and not only waits to be buried."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def fetch(url: str) -> Any:
    """JSON from a URL."""
    with urllib.request.urlopen(url, timeout=2) as answer:
        return json.load(answer)
