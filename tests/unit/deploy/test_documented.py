"""The commands of docs/deploying.md for Kubernetes are understood, and name what there is."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import chart
import check
import pytest
import yaml
from tests.unit.deploy.rendered import DEVELOPMENT, find, made, main, needs_helm, pod

from scurry.cli.main import parser

PAGE = (chart.ROOT / "docs" / "deploying.md").read_text().partition("\n## Kubernetes\n")[2].partition("\n## ")[0]
COMMANDS = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)).splitlines()

CHANGES = [shlex.split(one)[-1] for one in COMMANDS if "--change-with" in one]
HELM = [one for one in (*COMMANDS, *CHANGES) if one.startswith("helm ")]


@needs_helm
@pytest.mark.parametrize("command", HELM)
def test_what_is_installed_renders(command: str) -> None:
    """With the very values of the command."""
    words = shlex.split(command)
    assert words[:2] in (["helm", "install"], ["helm", "upgrade"])
    own = [word for word in words[2:] if word != "--reuse-values"]
    kept = [] if own == words[2:] else ["--values", str(DEVELOPMENT)]
    rendered = [chart.helm() or "", "template", *own, *kept, "--kube-version", "1.35.0"]
    done = subprocess.run(rendered, cwd=chart.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on the PATH")
@pytest.mark.parametrize("path", re.findall(r"^kubectl apply -k (\S+)$", PAGE, re.MULTILINE))
def test_what_is_applied_builds(path: str) -> None:
    """Each folder is a kustomization."""
    subprocess.run(["kubectl", "kustomize", path], cwd=chart.ROOT, capture_output=True, check=True)


@pytest.mark.parametrize("command", [one for one in COMMANDS if one.startswith("scurry ")])
def test_scurry_understands_what_it_is_told(command: str) -> None:
    """Each verb and each flag is one."""
    words = shlex.split(command)[1:]
    parser(words).parse_args(words)


@needs_helm
def test_the_volume_is_filled_by_a_pod_that_is_admitted() -> None:
    """It mounts the trial's claim where workers read it, as the user that they are."""
    (load,) = check.documents(chart.ROOT / "deploy" / "kustomize" / "load-models.yaml")
    assert check.violations(load) == []
    workers = find(made(DEVELOPMENT), "Deployment", "workers")
    claims = [{one["persistentVolumeClaim"]["claimName"] for one in volumes if "persistentVolumeClaim" in one}
              for volumes in (load["spec"]["volumes"], pod(workers)["volumes"])]  # fmt: skip
    assert claims[0] == claims[1]
    assert load["spec"]["securityContext"] == pod(workers)["securityContext"]
    assert {"name": "models", "mountPath": "/models"} in load["spec"]["containers"][0]["volumeMounts"]
    assert load["spec"]["containers"][0]["image"] == main(workers)["image"]


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
