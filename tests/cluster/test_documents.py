"""The trial of docs/deploying.md on a real cluster, command after command as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cluster.release import CONTEXT, VALUES, chart, run
from tests.conftest import ROOT, clean_environment
from tests.doubling import save_double

PAGE = (ROOT / "docs" / "deploying.md").read_text().partition("\n## Kubernetes\n")[2].partition("\n## ")[0]
COMMANDS = [one for one in "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines() if one]
LEFT_OUT = {
    "port-forward": "it does not end",
    "redis.existingSecret": "production has a Redis elsewhere",
    "redis.example": "production has a Redis elsewhere",
    "create namespace": "production",
    "label namespace": "production",
    "apply -k": "another way to the same objects",
    "--url": "the trial's gateway has no admin key",
    "scurry job upgrade": "the trial has one task slot; tests/cluster/test_release.py upgrades",
}
"""Words of a command, and why it is left out."""


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[dict[str, str]]:
    """The environment of somebody whose kubectl and helm speak to the cluster; the namespace is gone afterwards."""
    context = ("kubectl", "--context", os.environ[CONTEXT])
    if "namespace/scurry\n" in run(*context, "get", "namespaces", "--output", "name"):
        pytest.skip("this cluster has a namespace `scurry`, which is not ours")
    (tmp_path / "kubeconfig").write_text(run(*context, "config", "view", "--minify", "--flatten"))
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    (tmp_path / "models" / "digits").mkdir(parents=True)
    save_double(tmp_path / "models" / "digits" / "model.onnx")
    path = f"{Path(str(chart.helm())).parent}:{os.environ['PATH']}"
    yield clean_environment() | {"KUBECONFIG": str(tmp_path / "kubeconfig"), "PATH": path}
    run(*context, "delete", "namespace", "scurry", "--ignore-not-found", "--wait=false")


def test_the_trial_as_it_is_written(shell: dict[str, str], tmp_path: Path) -> None:
    """What is left out is printed with the reason."""
    done = 0
    for command in COMMANDS:
        why = next((reason for words, reason in LEFT_OUT.items() if words in command), "")
        if why:
            print(f"left out: {command[:90]}: {why}")
            continue
        if command.startswith("helm install") and os.environ.get(VALUES):
            command = f"{command} --values {os.environ[VALUES]}"  # noqa: PLW2901 - what this cluster needs besides
        print(f"$ {command}", flush=True)
        told = subprocess.run(command, shell=True, cwd=tmp_path, env=shell, capture_output=True, text=True, check=False)
        assert told.returncode == 0, f"{command}\n{told.stdout}{told.stderr}"
        done += 1
    assert done >= 7
