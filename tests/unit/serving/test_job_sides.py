"""Where a job is started: commands filled in, a Deployment's arguments, kubectl's words."""

from __future__ import annotations

import asyncio
import json
import stat
from pathlib import Path

import pytest

from scurry.serving import job_sides
from scurry.serving.job_sides import Commands, Kubernetes, bare, begun, filled
from scurry.wire.errors import Failed

DEPLOYMENT = {
    "kind": "Deployment",
    "metadata": {"name": "c-jobmanager", "namespace": "n", "uid": "u", "resourceVersion": "7"},
    "spec": {
        "replicas": 1,
        "selector": {"matchLabels": {"a": "b", "c": "d"}},
        "template": {"spec": {
            "containers": [{"name": "jobmanager", "args": ["-Dx=1", "--module", "m"]}],
            "volumes": [{"configMap": {"name": "scurry-module"}}, {"emptyDir": {}}],
        }},
    },
}  # fmt: skip
TASK_MANAGER = {"kind": "Deployment", "metadata": {"name": "c-taskmanager"}, "spec": {"replicas": 3}}
KUBECTL = """#!/bin/sh
echo "$@" >>{log}
case "$*" in
  *"get deployment/c-taskmanager"*) cat {folder}/taskmanager.json ;;
  *"get pods --selector a=b,c=d"*) sed -n 1p {folder}/pods; sed -i 1d {folder}/pods ;;
  *"get deployment"*) cat {folder}/deployment.json ;;
  *"get configmap"*) echo '{{"kind": "ConfigMap", "metadata": {{"name": "scurry-module"}}, "data": {{}}}}' ;;
  *replace*) cat >>{log}; echo >>{log} ;;
  *port-forward*) echo "Forwarding from 127.0.0.1:40123 -> 8081"; exec sleep 60 ;;
esac
"""


@pytest.fixture
def kubectl(tmp_path: Path) -> Path:
    """A kubectl that writes down what it is told and answers with one Deployment."""
    (tmp_path / "deployment.json").write_text(json.dumps(DEPLOYMENT))
    (tmp_path / "pods").touch()
    (tmp_path / "taskmanager.json").write_text(json.dumps(TASK_MANAGER))
    script = tmp_path / "kubectl"
    script.write_text(KUBECTL.format(log=tmp_path / "log", folder=tmp_path))
    script.chmod(stat.S_IRWXU)
    return script


def said(kubectl: Path) -> list[str]:
    """What it was told, without the namespace."""
    lines = (kubectl.parent / "log").read_text().splitlines()
    return [line.removeprefix("--namespace n ") for line in lines]


def test_a_command_is_filled_in_and_quoted():
    """A savepoint's path is one word, whatever is in it; a parallelism that is left alone is none."""
    assert filled("go {savepoint} {parallelism}", "file:/a b;c", 0) == "go 'file:/a b;c' "
    assert filled("go {savepoint} {parallelism}", "s", 2) == "go s 2"


async def test_commands_are_run_by_the_shell(tmp_path):
    """The former one is the same unless it was given."""
    told = tmp_path / "told"
    side = Commands(f"echo new {{savepoint}} >>{told}", f"echo old {{savepoint}} >>{told}")
    await side.start("s", 0)
    await side.start_former("s", 0)
    await Commands(f"echo only >>{told}").start_former("s", 0)
    assert told.read_text().split() == ["new", "s", "old", "s", "only"]


async def test_a_command_that_fails_is_told_with_its_last_line():
    """And its status."""
    with pytest.raises(Failed, match=r"exited 3: no such image\."):
        await Commands("echo first; echo no such image >&2; exit 3").start("s", 0)
    with pytest.raises(Failed, match="cannot be run: No such file"):
        await job_sides.run(("/no/such/kubectl",))


def test_arguments_begin_at_the_savepoint_once():
    """Those of the upgrade before are gone; a parallelism stays unless another is asked for."""
    words = begun(["-Dx=1", "--module", "m"], "s1", 2)
    assert words == ["-Dexecution.savepoint.path=s1", "-Dparallelism.default=2", "-Dx=1", "--module", "m"]
    assert begun(words, "s2", 0) == [
        "-Dexecution.savepoint.path=s2", "-Dparallelism.default=2", "-Dx=1", "--module", "m"
    ]  # fmt: skip


def test_an_object_is_put_back_without_what_the_server_added():
    """The JobManager without pods, until all is there."""
    kept = bare(DEPLOYMENT | {"status": {"replicas": 1}}, replicas=0)
    assert kept["metadata"] == {"name": "c-jobmanager", "namespace": "n"}
    assert kept["spec"]["replicas"] == 0
    assert "status" not in kept


async def test_a_start_on_kubernetes_is_pods_gone_traces_gone_change_start(kubectl):
    """In that order; what an apply brought back is gone again before the start."""
    changed = kubectl.parent / "log"
    side = Kubernetes("n", "c", f"echo change >>{changed}", str(kubectl))
    await side.start("file:/s", 2)
    lines = [line for line in said(kubectl) if not line.startswith("get ")]
    empty = [
        "scale deployment/c-jobmanager --replicas=0",
        "delete configmap --selector app=c,configmap-type=high-availability --ignore-not-found",
    ]
    held = json.loads(lines[2].partition("--patch ")[2])["spec"]["template"]["spec"]
    assert held == {"schedulingGates": [{"name": "scurry/upgrade"}]}, "what the apply brings back does not start"
    assert [*lines[:2], *lines[3:6]] == [*empty, "change", *empty]
    patch = json.loads(lines[6].partition("--patch ")[2])["spec"]
    assert patch["template"]["spec"]["schedulingGates"] is None
    assert patch["replicas"] == 1
    (container,) = patch["template"]["spec"]["containers"]
    assert container["args"][:2] == ["-Dexecution.savepoint.path=file:/s", "-Dparallelism.default=2"]


async def test_traces_are_removed_when_the_last_pod_has_ended(kubectl, monkeypatch):
    """One that is told to end counts as no replica, and may start the job without state for as long as it lives."""
    monkeypatch.setattr(job_sides, "PAUSE_S", 0.01)
    (kubectl.parent / "pods").write_text("pod/c-jobmanager-1\npod/c-jobmanager-1\n")
    await Kubernetes("n", "c", "", str(kubectl)).start("file:/s", 0)
    words = [line.split()[0:2] for line in said(kubectl) if not line.startswith("get deployment")]
    assert words == [["scale", "deployment/c-jobmanager"], *[["get", "pods"]] * 3, ["delete", "configmap"],
                     ["patch", "deployment/c-jobmanager"]]  # fmt: skip


async def test_as_many_job_managers_start_as_there_were(kubectl):
    """A spare one is not lost by an upgrade; what the change asks for counts, else what was there."""
    spare = DEPLOYMENT | {"spec": DEPLOYMENT["spec"] | {"replicas": 2}}
    (kubectl.parent / "deployment.json").write_text(json.dumps(spare))
    side = Kubernetes("n", "c", "", str(kubectl))
    await side.start("file:/s", 0)
    assert json.loads(said(kubectl)[-1].partition("--patch ")[2])["spec"]["replicas"] == 2


async def test_a_roll_back_puts_back_what_was_remembered(kubectl):
    """The Deployment and the ConfigMaps it mounts; TaskManagers, which share the image, and keep running."""
    side = Kubernetes("n", "c", "", str(kubectl))
    await side.remember()
    await side.start_former("file:/s", 1)
    put = [json.loads(line) for line in said(kubectl) if line.startswith("{")]
    assert [one["metadata"]["name"] for one in put] == ["c-jobmanager", "c-taskmanager", "scurry-module"]
    assert [one.get("spec", {}).get("replicas") for one in put] == [0, 3, None]
    assert said(kubectl)[-1].startswith("patch deployment/c-jobmanager")


async def test_flinks_port_is_found_through_kubectl(kubectl):
    """Whatever port was free."""
    async with Kubernetes("n", kubectl=str(kubectl)).forwarded() as url:
        assert url == "http://127.0.0.1:40123"
    assert said(kubectl) == ["port-forward service/scurry-jobmanager :8081"]


async def test_a_forward_that_ends_is_begun_again_at_the_same_port_without_a_word(kubectl, caplog):
    """Whenever its pod is gone; its end is waited for once."""
    text = kubectl.read_text().replace("exec sleep 60", "exit 1")
    kubectl.write_text(text)
    async with Kubernetes("n", kubectl=str(kubectl)).forwarded():
        await asyncio.sleep(2.6)
    assert said(kubectl)[1:3] == ["port-forward service/scurry-jobmanager 40123:8081"] * 2
    assert caplog.records == []
