"""The chart in a namespace of its own on a real cluster, by helm and kubectl."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from tests.conftest import ROOT

sys.path.insert(0, str(ROOT / "deploy"))

import chart

CONTEXT: Final = "SCURRY_TEST_CONTEXT"
VALUES: Final = "SCURRY_TEST_VALUES"
DEVELOPMENT: Final = ROOT / "deploy" / "helm" / "development.yaml"


def missing() -> str:
    """Why there is no cluster to try it on; empty when there is one."""
    if not os.environ.get(CONTEXT):
        return f"no cluster: {CONTEXT} names the kubectl context of one on which this may install and kill"
    if not shutil.which("kubectl"):
        return "kubectl is not installed"
    if not chart.helm():
        return chart.MISSING
    asked = subprocess.run(["kubectl", "--context", os.environ[CONTEXT], "version"], capture_output=True, check=False)
    return "" if asked.returncode == 0 else f"the cluster does not answer: {asked.stderr.decode().strip()}"


class Release:
    """One release, `scurry`, with development values and those of the cluster on top."""

    def __init__(self, namespace: str, values: Mapping[str, str]) -> None:
        self.namespace, self.values, self._context = namespace, dict(values), os.environ[CONTEXT]

    def helm(self, verb: str, **values: str) -> None:
        """`helm install` or `helm upgrade`; what is given stays."""
        self.set(**values)
        run(*self.command(verb))

    def set(self, **values: str) -> None:
        """From now on; `__` in a name is a dot, what begins with a brace is JSON."""
        self.values |= {name.replace("__", "."): value for name, value in values.items()}

    def command(self, verb: str) -> list[str]:
        """The words of it, for whoever runs it in the midst of something else."""
        more = ["--values", os.environ[VALUES]] if os.environ.get(VALUES) else []
        sets = [word for name, value in self.values.items()
                for word in ("--set-json" if value.startswith("{") else "--set", f"{name}={value}")]  # fmt: skip
        return [str(chart.helm()), "--kube-context", self._context, "--namespace", self.namespace, verb, "scurry",
                str(chart.CHART), "--values", str(DEVELOPMENT), *more, *sets]  # fmt: skip

    def kubectl(self, *words: str, given: str = "", timeout: float = 300) -> str:
        """What kubectl prints."""
        return run("kubectl", "--context", self._context, "--namespace", self.namespace, *words,
                   given=given, timeout=timeout)  # fmt: skip

    def get(self, *words: str) -> dict[str, Any]:
        """Objects as JSON."""
        told: dict[str, Any] = json.loads(self.kubectl("get", *words, "--output", "json"))
        return told

    def pods(self, selector: str = "") -> list[dict[str, Any]]:
        """Those of the release that have not ended."""
        named = f"app.kubernetes.io/instance=scurry{',' if selector else ''}{selector}"
        found = self.get("pods", "--selector", named)["items"]
        return [one for one in found if one["status"].get("phase") not in ("Succeeded", "Failed")]

    def rolled_out(self, seconds: float = 300) -> None:
        """Return once every Deployment is as it is wanted."""
        for name in self.kubectl("get", "deployments", "--output", "name").split():
            self.kubectl("rollout", "status", name, f"--timeout={seconds:.0f}s", timeout=seconds + 30)

    def restarts(self) -> dict[str, int]:
        """How often the containers of each pod were started again, where they were."""
        counts = {
            pod["metadata"]["name"]: sum(one["restartCount"] for one in pod["status"].get("containerStatuses", ()))
            for pod in self.pods()
        }
        return {name: count for name, count in counts.items() if count}

    def address(self, service: str) -> str:
        """Where a Service is reached from a node: its own address, or that of its only pod."""
        spec = self.get("service", service)["spec"]
        if spec["clusterIP"] != "None":
            return str(spec["clusterIP"])
        selector = ",".join(f"{name}={value}" for name, value in spec["selector"].items())
        return str(self.pods(selector)[0]["status"]["podIP"])

    def __repr__(self) -> str:
        return f"<Release {self.namespace}>"


def run(*words: str, given: str = "", timeout: float = 300) -> str:
    """What a command prints. Raises `RuntimeError` with what it complained of."""
    done = subprocess.run(words, input=given, capture_output=True, text=True, timeout=timeout, check=False)
    if done.returncode:
        said = f"{done.stdout[-1000:]}{done.stderr[-2000:]}"
        raise RuntimeError(f"{' '.join(words)[:300]} exited {done.returncode}: {said}")
    return done.stdout


def waited(seconds: float, every: float = 1.0) -> Iterator[float]:
    """The seconds that have passed, until they are over."""
    begun = time.monotonic()
    while (passed := time.monotonic() - begun) < seconds:
        yield passed
        time.sleep(every)
