"""A release on the cluster that SCURRY_TEST_CONTEXT names; else all is skipped, and says why."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chaos.ledgered import save_models
from tests.cluster.release import Release, missing
from tests.conftest import ROOT
from tests.doubling import save_double

FILLER = ROOT / "deploy" / "kustomize" / "load-models.yaml"


@pytest.fixture(scope="session", autouse=True)
def cluster() -> None:
    """There is one."""
    if why := missing():
        pytest.skip(why)


@pytest.fixture(scope="module", params=["standalone", "operator"])
def release(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Release]:
    """A release with development values, and files on the volume of its models; gone afterwards."""
    patient = '{"SCURRY_TIMEOUT_S":"120"}'  # nobody's deadline passes while a job is upgraded
    made = Release(f"scurry-{uuid.uuid4().hex[:6]}", {"job.mode": request.param, "gateway.env": patient})
    if request.param == "operator" and "flinkdeployments" not in made.kubectl("get", "crds", "--output", "name"):
        pytest.skip("the Flink Kubernetes Operator is not installed on this cluster")
    made.kubectl("create", "namespace", made.namespace)
    made.kubectl("label", "namespace", made.namespace, "pod-security.kubernetes.io/enforce=restricted")
    try:
        made.helm("install")
        folder = tmp_path_factory.mktemp("files")
        save_models(folder)
        save_double(folder / "double.onnx")
        fill(made, folder)
        yield made
    finally:
        if request.param == "operator":  # which has to see its own go
            made.kubectl("delete", "flinkdeployments", "--all", "--timeout=90s")
        made.kubectl("delete", "namespace", made.namespace, "--wait=false")


def fill(release: Release, folder: Path) -> None:
    """Copy files to the volume of the models, as docs/deploying.md says."""
    pod = FILLER.read_text().replace("namespace: scurry", f"namespace: {release.namespace}")
    release.kubectl("apply", "--filename", "-", given=pod)
    release.kubectl("wait", "--for=condition=Ready", "pod/scurry-load", "--timeout=180s")
    release.kubectl("cp", f"{folder}/.", "scurry-load:/models")
    release.kubectl("delete", "pod", "scurry-load", "--now")
