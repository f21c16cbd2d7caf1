"""The Kubernetes manifests are admitted, and a broken one is not."""

from __future__ import annotations

import copy
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import check
import generate
import pytest
import yaml

from scurry import settings

MANIFESTS = check.manifests()
KUSTOMIZATIONS = sorted(check.KUBERNETES.glob("*/kustomization.yaml"))
needs_crds = pytest.mark.skipif(not check.CRDS.is_dir(), reason="`make check` fetches the operator's definitions")


def load(name: str, kind: str) -> dict[str, Any]:
    """The object of that kind in a manifest."""
    return next(d for d in check.documents(check.KUBERNETES / name) if d["kind"] == kind)


@needs_crds
@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: str(path.relative_to(check.KUBERNETES)))
def test_every_manifest_holds(path: Path) -> None:
    """Strict schemas and the pod rules find nothing."""
    assert [text for document in check.documents(path) for text in check.violations(document)] == []


@pytest.mark.parametrize("path", generate.generated(), ids=lambda path: path.name)
def test_generated_manifests_are_up_to_date(path: Path) -> None:
    """The ConfigMaps say what module.yaml and the operator's job say."""
    assert path.read_text() == generate.generated()[path], "run: make manifests"


def test_the_module_of_the_config_map_is_the_module() -> None:
    """Read back as YAML, the ConfigMap holds module.yaml byte for byte."""
    assert load("base/module.yaml", "ConfigMap")["data"]["module.yaml"] == (check.ROOT / "module.yaml").read_text()


def pod(document: dict[str, Any]) -> dict[str, Any]:
    """The pod of a Deployment or FlinkDeployment."""
    spec = document["spec"]
    return spec["podTemplate"]["spec"] if document["kind"] == "FlinkDeployment" else spec["template"]["spec"]


def main(document: dict[str, Any]) -> dict[str, Any]:
    """The first container of that pod."""
    return pod(document)["containers"][0]


Break = Callable[[dict[str, Any]], object]
BREAKS: dict[str, tuple[Break, str]] = {
    "unknown field": (lambda d: d["spec"].update(replica=2), "replica"),
    "unknown pod field": (lambda d: pod(d).update(hostnetwork=True), "hostnetwork"),
    "wrong type": (lambda d: d["metadata"].update(labels=["a"]), "labels"),
    "unknown kind": (lambda d: d.update(kind="Deploiment", apiVersion="apps/v1"), "schema for kind"),
    "root": (lambda d: pod(d)["securityContext"].pop("runAsNonRoot"), "not root"),
    "seccomp": (lambda d: pod(d)["securityContext"].pop("seccompProfile"), "seccompProfile"),
    "token": (lambda d: pod(d).update(automountServiceAccountToken=True), "automountServiceAccountToken"),
    "links": (lambda d: pod(d).pop("enableServiceLinks"), "enableServiceLinks"),
    "root file system": (lambda d: main(d)["securityContext"].pop("readOnlyRootFilesystem"), "readOnly"),
    "capabilities": (lambda d: main(d)["securityContext"].pop("capabilities"), "capabilities"),
    "image": (lambda d: main(d).update(image="scurry/worker"), "needs a version"),
    "latest": (lambda d: main(d).update(image="scurry/worker:latest"), "needs a version"),
    "probe": (lambda d: main(d).pop("readinessProbe"), "readinessProbe"),
    "memory": (lambda d: main(d)["resources"].pop("limits"), "memory limit"),
    "forgotten volume": (lambda d: pod(d)["volumes"].append({"name": "x", "emptyDir": {}}), "volume x"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_a_broken_deployment_is_refused(name: str) -> None:
    """Each rule finds the one thing that was broken."""
    document = copy.deepcopy(load("base/worker.yaml", "Deployment"))
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


@needs_crds
@pytest.mark.parametrize("name", FLINK_BREAKS)
def test_a_broken_flink_deployment_is_refused(name: str) -> None:
    """The operator's definition, made strict, finds the one thing that was broken."""
    document = copy.deepcopy(load("operator/job.yaml", "FlinkDeployment"))
    assert check.violations(document) == []
    damage, word = FLINK_BREAKS[name]
    damage(document)
    assert any(word in text for text in check.violations(document))


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_every_kustomization_names_what_exists(path: Path) -> None:
    """Each resource of a kustomization is there, and each manifest beside it is one of its resources."""
    resources = yaml.safe_load(path.read_text())["resources"]
    assert all((path.parent / name).exists() for name in resources)
    beside = {p.name for p in path.parent.glob("*.yaml")} - {"kustomization.yaml"}
    assert beside == {name for name in resources if name.endswith(".yaml")}


@needs_crds
@pytest.mark.skipif(not shutil.which("kubectl"), reason="no kubectl on the PATH")
@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_kustomize_builds_what_holds(path: Path) -> None:
    """What kustomize makes of each folder passes the same rules."""
    built = subprocess.run(["kubectl", "kustomize", path.parent], capture_output=True, text=True, check=True).stdout
    made = [document for document in yaml.safe_load_all(built) if document]
    assert made
    assert [text for document in made for text in check.violations(document)] == []


def test_every_environment_variable_is_a_setting() -> None:
    """A SCURRY_ variable in a manifest is one that some process reads."""
    pods = [pod for path in MANIFESTS for document in check.documents(path) for pod in check._pods(document)]
    names = {item["name"] for pod in pods for c in pod["containers"] for item in c.get("env", [])}
    assert {name for name in names if name.startswith("SCURRY_")} <= settings.variables()


def test_job_addresses_name_services_and_their_ports() -> None:
    """Where the job looks for functions and workers, a Service answers."""
    ports = {
        d["metadata"]["name"]: d["spec"]["ports"][0]["port"]
        for path in MANIFESTS
        for d in check.documents(path)
        if d["kind"] == "Service"
    }
    environment = {
        item["name"]: item.get("value") for item in main(load("operator/job.yaml", "FlinkDeployment"))["env"]
    }
    assert environment["SCURRY_FUNCTIONS"] == f"http://functions:{ports['functions']}"
    assert environment["SCURRY_WORKERS"] == f"http://workers:{ports['workers']}"


def test_operator_and_standalone_start_the_same_job() -> None:
    """Both start the same main class on the mounted module.yaml, in the same environment."""
    operator = load("operator/job.yaml", "FlinkDeployment")
    manager = main(load("standalone/jobmanager.yaml", "Deployment"))
    job = operator["spec"]["job"]
    assert manager["args"][1:] == ["--job-classname", job["entryClass"], *job["args"]]
    assert [item for item in manager["env"] if item["name"] != "POD_IP"] == main(operator)["env"]
    mounts = {mount["name"]: mount["mountPath"] for mount in main(operator)["volumeMounts"]}
    assert job["args"] == ["--module", f"{mounts['module']}/module.yaml"]


def test_the_main_class_is_in_the_jar() -> None:
    """The class that the manifests start is one of ours."""
    name = load("operator/job.yaml", "FlinkDeployment")["spec"]["job"]["entryClass"]
    assert (check.ROOT / "job/src/main/java" / f"{name.replace('.', '/')}.java").exists()


def test_task_managers_get_no_secret() -> None:
    """The module is resolved once, in the JobManager; the address of Redis travels inside the job."""
    names = [item["name"] for item in main(load("standalone/taskmanager.yaml", "Deployment"))["env"]]
    assert names == ["POD_IP"]


def test_checkpoints_kept_are_those_the_ingress_counts_on() -> None:
    """Trimming stays behind as many checkpoints as Flink keeps."""
    binder = (check.ROOT / "job/src/main/java/io/scurry/job/ingress/IngressSpec.java").read_text()
    kept = load("operator/job.yaml", "FlinkDeployment")["spec"]["flinkConfiguration"]["state.checkpoints.num-retained"]
    assert f'"retainedCheckpoints", {kept},' in binder


def test_functions_know_what_the_job_binds() -> None:
    """Registrations of functions are held against the very module that the job was started with."""
    functions = load("base/functions.yaml", "Deployment")
    (module,) = (item["value"] for item in main(functions)["env"] if item["name"] == "SCURRY_MODULE")
    (mount,) = (mount for mount in main(functions)["volumeMounts"] if mount["name"] == "module")
    assert module == f"{mount['mountPath']}/module.yaml"
    volumes = functions["spec"]["template"]["spec"]["volumes"]
    assert {"name": "module", "configMap": {"name": "scurry-module"}} in volumes


def test_a_lost_task_manager_is_noticed_and_replaced_within_seconds() -> None:
    """Silence is short, several heartbeats long all the same, and the slots of one TaskManager are to spare."""
    spec = load("operator/job.yaml", "FlinkDeployment")["spec"]
    millis = {name: int(value) for name, value in spec["flinkConfiguration"].items() if "heartbeat" in name}
    assert 3 * millis["heartbeat.interval"] <= millis["heartbeat.timeout"] <= 10_000
    replicas = load("standalone/taskmanager.yaml", "Deployment")["spec"]["replicas"]
    slots = int(spec["flinkConfiguration"]["taskmanager.numberOfTaskSlots"])
    assert (replicas - 1) * slots >= spec["job"]["parallelism"]


def test_losses_that_lie_minutes_apart_do_not_slow_each_other() -> None:
    """Flink forgets a failure after a minute, not after its own hour, in which the back-off doubles each time."""
    settings = load("operator/job.yaml", "FlinkDeployment")["spec"]["flinkConfiguration"]
    assert settings["restart-strategy.exponential-delay.reset-backoff-threshold"] == "1 min"
