"""The chart's job: the same in both modes, as `scurry job` expects it, and soon back."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import chart
import pytest
from tests.conftest import ROOT
from tests.unit.deploy.rendered import (
    DEVELOPMENT,
    OPERATOR,
    STANDALONE,
    environment,
    find,
    made,
    main,
    needs_helm,
    pod,
)  # fmt: skip

from scurry.cli.main import parser
from scurry.serving import job_sides

sys.path.insert(0, str(ROOT / "deploy" / "images"))

import parts

pytestmark = needs_helm
ALL = pytest.mark.parametrize("path", chart.VALUES, ids=lambda path: path.stem)


def flink(path: Path) -> dict[str, str]:
    """Flink's settings, in either way of running the job."""
    objects = made(path)
    if any(one["kind"] == "FlinkDeployment" for one in objects):
        found: dict[str, str] = find(objects, "FlinkDeployment", "")["spec"]["flinkConfiguration"]
        return found
    text = find(objects, "ConfigMap", "flink")["data"]["flink-conf.yaml"]
    return dict(line.split(": ", 1) for line in text.splitlines())


def test_operator_and_standalone_start_the_same_job() -> None:
    """The same main class on the mounted module.yaml, in the same environment, with the same settings of Flink's."""
    same = ("redis=" + json.dumps({"existingSecret": "a"}),)
    operator = find(chart.objects(sets=(*same, 'job={"mode":"operator"}')), "FlinkDeployment", "")
    standalone = chart.objects(sets=same)
    manager = find(standalone, "Deployment", "jobmanager")
    job = operator["spec"]["job"]
    assert main(manager)["command"] == ["/opt/scurry/start", "jobmanager"]  # Standalone, which takes what Main takes
    assert main(manager)["args"][1:] == job["args"]
    assert [one for one in main(manager)["env"] if one["name"] != "POD_IP"] == main(operator)["env"]
    text = find(standalone, "ConfigMap", "flink")["data"]["flink-conf.yaml"]
    settings_of_both = {key: value for key, value in operator["spec"]["flinkConfiguration"].items() if "cpu" not in key}
    assert settings_of_both.items() <= dict(line.split(": ", 1) for line in text.splitlines()).items()
    assert (chart.ROOT / "job/src/main/java" / f"{job['entryClass'].replace('.', '/')}.java").exists()


def test_the_images_are_tried_with_the_settings_of_the_chart() -> None:
    """But for high availability, which wants an API server, and what is where all is in one network."""
    own = {"execution.checkpointing.interval", "jobmanager.rpc.address", "metrics.reporter.prom.port"}
    tried = {key: value for key, value in parts.FLINK.items() if key not in own}
    assert tried.items() <= flink(DEVELOPMENT).items()
    more = flink(DEVELOPMENT).keys() - parts.FLINK.keys()
    left_out = [key for key in more if "high-availability" not in key]
    known = ("restart-strategy", "execution.", "kubernetes.", "state.")
    assert [key for key in left_out if not key.startswith(known)] == []


@ALL
def test_losses_are_noticed_within_seconds_in_both_modes(path: Path) -> None:
    """Silence is short, several heartbeats long all the same; a leader's lease and Flink's back-off likewise."""
    conf = flink(path)
    assert 3 * int(conf["heartbeat.interval"]) <= int(conf["heartbeat.timeout"]) <= 10_000
    assert conf["high-availability.kubernetes.leader-election.lease-duration"] == "8 s"
    assert conf["restart-strategy.exponential-delay.reset-backoff-threshold"] == "1 min"


def test_in_standalone_mode_one_task_manager_is_to_spare() -> None:
    """Its slots hold the whole job while a lost one starts; the trial has none."""
    spec = find(made(STANDALONE), "Deployment", "taskmanager")["spec"]
    conf = flink(STANDALONE)
    assert (spec["replicas"] - 1) * int(conf["taskmanager.numberOfTaskSlots"]) >= int(conf["parallelism.default"])


def test_the_operators_job_manager_may_take_more_cpu_than_it_asks_for() -> None:
    """Under the operator the request would be the limit, and half a core starves it while it starts."""
    spec = find(made(OPERATOR), "FlinkDeployment", "")["spec"]
    factor = float(spec["flinkConfiguration"]["kubernetes.jobmanager.cpu.limit-factor"])
    assert spec["jobManager"]["resource"]["cpu"] * factor >= 2


def test_checkpoints_kept_are_those_the_ingress_counts_on() -> None:
    """Trimming stays behind as many checkpoints as Flink keeps."""
    ingress = (chart.ROOT / "job/src/main/java/io/scurry/job/ingress/IngressSpec.java").read_text()
    assert f'"retainedCheckpoints", {flink(DEVELOPMENT)["state.checkpoints.num-retained"]},' in ingress


def test_task_managers_get_no_address() -> None:
    """The module is resolved once, in the JobManager; what its connections read, as a password, is mounted."""
    plain = find(made(DEVELOPMENT), "Deployment", "taskmanager")
    assert environment(plain) == {"POD_IP": None}
    assert "redis" not in {one["name"] for one in pod(plain)["volumes"]}
    told = find(made(STANDALONE), "Deployment", "taskmanager")
    assert environment(told) == {"POD_IP": None}
    assert redis_files(told) == {"password", "ca.crt"}
    assert redis_files(find(made(STANDALONE), "Deployment", "jobmanager")) == {"url", "password", "ca.crt"}


def redis_files(document: dict[str, Any]) -> set[str]:
    """What is mounted at /etc/scurry/redis."""
    (volume,) = (one for one in pod(document)["volumes"] if one["name"] == "redis")
    return {item["path"] for one in volume["projected"]["sources"] for item in one["secret"]["items"]}


def test_a_savepoint_to_begin_at_is_said_as_upgrades_say_it() -> None:
    """So that `scurry job upgrade` replaces it, and a start that would pass it over is refused."""
    args = main(find(made(STANDALONE), "Deployment", "jobmanager"))["args"]
    assert "-Dexecution.savepoint.path=file:///opt/flink/state/savepoints/savepoint-1" in args
    assert not any(word.startswith(job_sides.OURS) for word in job_sides.begun(args, "s", 2)[2:])


def test_scurry_job_finds_what_it_changes() -> None:
    """The Deployments and the Service by the name of the cluster, which is the release."""
    objects = made(STANDALONE)
    cluster = flink(STANDALONE)["kubernetes.cluster-id"]
    words = ["job", "status", "--kubernetes", "scurry"]
    assert cluster == parser(words).parse_args(words).cluster_id
    for name in (job_sides.JOB_MANAGER, job_sides.TASK_MANAGER):
        find(objects, "Deployment", name.format(cluster).removeprefix("scurry-"))
    service = find(objects, "Service", job_sides.JOB_MANAGER.format(cluster).removeprefix("scurry-"))
    assert [one["port"] for one in service["spec"]["ports"]] == [8081]


@ALL
def test_a_job_that_was_stopped_leaves_its_job_manager(path: Path) -> None:
    """One that ended would be started again, and begin without state."""
    assert flink(path)["execution.shutdown-on-application-finish"] == "false"
