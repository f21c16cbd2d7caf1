"""What the chart makes is admitted, and what was broken in it is not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chart
import check
import generate
import pytest
import yaml
from tests.unit.deploy.rendered import DEVELOPMENT, OPERATOR, find, made, main, needs_crds, needs_helm, pod

WORKERS = next(
    one for one in yaml.safe_load_all((generate.KUSTOMIZE / "base" / "scurry.yaml").read_text())
    if one and (one["kind"], one["metadata"]["name"]) == ("Deployment", "scurry-workers")
)  # fmt: skip


@needs_helm
@needs_crds
@pytest.mark.parametrize("version", chart.VERSIONS)
@pytest.mark.parametrize("path", chart.VALUES, ids=lambda path: path.stem)
def test_every_values_file_renders_what_holds(path: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """For each version of Kubernetes, strict schemas and the pod rules find nothing."""
    monkeypatch.setattr(chart, "VERSIONS", (version,))
    objects = chart.objects(path, version=version)
    assert len(objects) > 20
    assert [text for one in objects for text in check.violations(one)] == []


Break = Callable[[dict[str, Any]], object]
FROM_SECRET = {"name": "A", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
BREAKS: dict[str, tuple[Break, str]] = {
    "unknown field": (lambda d: d["spec"].update(replica=2), "replica"),
    "unknown pod field": (lambda d: pod(d).update(hostnetwork=True), "hostnetwork"),
    "wrong type": (lambda d: d["metadata"].update(labels=["a"]), "labels"),
    "unknown kind": (lambda d: d.update(kind="Deploiment", apiVersion="apps/v1"), "schema for kind"),
    "root": (lambda d: pod(d)["securityContext"].pop("runAsNonRoot"), "not root"),
    "seccomp": (lambda d: pod(d)["securityContext"].pop("seccompProfile"), "seccompProfile"),
    "token": (lambda d: pod(d).update(automountServiceAccountToken=True), "automountServiceAccountToken"),
    "account": (lambda d: pod(d).pop("serviceAccountName"), "service account"),
    "links": (lambda d: pod(d).pop("enableServiceLinks"), "enableServiceLinks"),
    "root file system": (lambda d: main(d)["securityContext"].pop("readOnlyRootFilesystem"), "readOnly"),
    "capabilities": (lambda d: main(d)["securityContext"].pop("capabilities"), "capabilities"),
    "image": (lambda d: main(d).update(image="scurry/worker"), "needs a version"),
    "latest": (lambda d: main(d).update(image="scurry/worker:latest"), "needs a version"),
    "probe": (lambda d: main(d).pop("readinessProbe"), "readinessProbe"),
    "memory": (lambda d: main(d)["resources"].pop("limits"), "memory limit"),
    "forgotten volume": (lambda d: pod(d)["volumes"].append({"name": "x", "emptyDir": {}}), "volume x"),
    "secret by name": (lambda d: main(d)["env"].append({"name": "SCURRY_ADMIN_KEY", "value": "x"}), "holds a secret"),
    "secret in an address": (lambda d: main(d)["env"].append({"name": "A", "value": "http://u:p@h"}), "holds a secret"),
    "secret as a variable": (lambda d: main(d)["env"].append(FROM_SECRET), "holds a secret"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_deployment_is_refused(name: str) -> None:
    """Each rule finds the one thing that was broken."""
    document = copy.deepcopy(WORKERS)
    assert check.violations(document) == []
    damage, word = BREAKS[name]
    damage(document)
    assert any(word in text for text in check.violations(document))


FLINK_BREAKS: dict[str, tuple[Break, str]] = {
    "unknown field": (lambda d: d["spec"].update(jobmanager={}), "jobmanager"),
    "unknown job field": (lambda d: d["spec"]["job"].update(jarUri="local:///x"), "jarUri"),
    "unknown pod field": (lambda d: main(d).update(volumemounts=[]), "volumemounts"),
    "Flink version": (lambda d: d["spec"].update(flinkVersion="v2_99"), "v2_99"),
    "number as configuration": (lambda d: d["spec"]["flinkConfiguration"].update({"rest.port": 8081}), "8081"),
    "root": (lambda d: pod(d)["securityContext"].update(runAsUser=0), "not root"),
    "definition": (lambda d: d.update(kind="FlinkJob"), "no definition"),
}


@needs_helm
@needs_crds
@pytest.mark.parametrize("name", FLINK_BREAKS)
def test_a_broken_flink_deployment_is_refused(name: str) -> None:
    """The operator's definition, made strict, finds the one thing that was broken."""
    document = copy.deepcopy(find(made(OPERATOR), "FlinkDeployment", ""))
    assert check.violations(document) == []
    damage, word = FLINK_BREAKS[name]
    damage(document)
    assert any(word in text for text in check.violations(document))


@needs_helm
def test_a_foreign_kind_has_no_field_that_is_not_known() -> None:
    """What needs an operator that is not at hand is held against its fields at least."""
    monitor = copy.deepcopy(find(made(OPERATOR), "PodMonitor", ""))
    assert check.violations(monitor) == []
    monitor["spec"]["endpoints"] = []
    assert check.violations(monitor) == ["PodMonitor/scurry: spec.endpoints is no field that we know"]


@needs_helm
@needs_crds
def test_the_command_says_what_it_found(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`python deploy/check.py VALUES` ends with 1 when a rule is broken."""
    assert check.main([str(DEVELOPMENT)]) == 0
    bad = tmp_path / "bad.yaml"
    bad.write_text("redis: {existingSecret: a}\ngateway: {env: {SCURRY_CORS_ORIGINS: 'https://a:b@c'}}\n")
    assert check.main([str(bad)]) == 1
    said = capsys.readouterr().out
    assert said.startswith("1 values files hold\n")
    assert "bad.yaml: Deployment/scurry-gateway: gateway: SCURRY_CORS_ORIGINS holds a secret" in said
