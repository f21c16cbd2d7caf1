"""The commands of docs/deploying.md for Kubernetes are understood, and name what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import chart
import pytest
import yaml
from tests.unit.deploy.rendered import DEVELOPMENT, made, needs_helm

PAGE = (chart.ROOT / "docs" / "deploying.md").read_text().partition("\n## Kubernetes\n")[2].partition("\n## ")[0]
COMMANDS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()


@needs_helm
@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("helm ")])
def test_what_is_installed_renders(command: str) -> None:
    """With the very values of the command."""
    words = shlex.split(command)
    assert words[:2] == ["helm", "install"]
    rendered = [chart.helm() or "", "template", *words[2:], "--kube-version", "1.35.0"]
    done = subprocess.run(rendered, cwd=chart.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on the PATH")
@pytest.mark.parametrize("path", re.findall(r"^kubectl apply -k (\S+)$", PAGE, re.MULTILINE))
def test_what_is_applied_builds(path: str) -> None:
    """Each folder is a kustomization."""
    subprocess.run(["kubectl", "kustomize", path], cwd=chart.ROOT, capture_output=True, check=True)


@needs_helm
def test_objects_that_commands_name_exist() -> None:
    """In the trial's release."""
    named = {(kind, name) for kind, name in re.findall(r"\b(deployment|service)/([a-z-]+)", "\n".join(COMMANDS))}
    there = {(one["kind"].lower(), one["metadata"]["name"]) for one in made(DEVELOPMENT)}
    assert named
    assert named <= there


@needs_helm
def test_the_declared_models_of_the_page_are_applied(tmp_path: Path) -> None:
    """The block of values makes the Job that the text tells of."""
    (block,) = re.findall(r"```yaml\n(models:.*?)```", PAGE, re.DOTALL)
    values = tmp_path / "values.yaml"
    values.write_text(yaml.safe_dump({**yaml.safe_load(block), "redis": {"existingSecret": "scurry-redis"}}))
    (job,) = (one for one in chart.objects(values) if one["kind"] == "Job")
    assert "--prune" in job["spec"]["template"]["spec"]["containers"][0]["args"]


@needs_helm
def test_every_value_of_the_table_exists() -> None:
    """What the page calls a value is one."""
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())
    table = PAGE.partition("### What to set\n")[2].partition("\n### ")[0]
    names = [name for row in table.splitlines() if row.startswith("| `") for name in
             re.findall(r"`([a-zA-Z.]+)`", row.split("|")[1])]  # fmt: skip
    for name in names:
        here = values
        for part in name.split("."):
            here = here if part in here else values["gateway"]
            here = here[part]
