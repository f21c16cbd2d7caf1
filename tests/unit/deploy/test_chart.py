"""The chart makes one job, the processes around it, and what keeps them apart and up."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import chart
import pytest
import yaml
from tests.unit.deploy.rendered import (
    CLAIMS,
    DEVELOPMENT,
    OPERATOR,
    STANDALONE,
    environment,
    find,
    made,
    main,
    needs_helm,
    number,
    pod,
    requested,
    surge,
)  # fmt: skip

from scurry import settings
from scurry.client.declared import read_document
from scurry.serving.pools import extended
from scurry.wire.pools import POOL_NAME

pytestmark = needs_helm
ALL = pytest.mark.parametrize("path", chart.VALUES, ids=lambda path: path.stem)


def workers(path: Path) -> list[dict[str, Any]]:
    """The Deployment of each pool."""
    return [one for one in made(path) if one["kind"] == "Deployment" and "scurry/pool" in one["metadata"]["labels"]]


@ALL
def test_every_environment_variable_is_a_setting(path: Path) -> None:
    """A SCURRY_ variable in a pod is one that some process reads, or that tells of a pool."""
    pods = [one for one in made(path) if one["kind"] in ("Deployment", "Job", "FlinkDeployment")]
    names = {name for one in pods for name in environment(one)}
    pools = {name for name in names if re.fullmatch(r"SCURRY_WORKERS_[A-Z0-9_]+|SCURRY_POOL", name)}
    assert {name for name in names - pools if name.startswith("SCURRY_")} <= settings.variables()


@ALL
def test_job_addresses_name_services_and_their_ports(path: Path) -> None:
    """Where the job looks for functions and the workers of each pool, a headless Service answers."""
    objects = made(path)
    job = find(objects, *(("FlinkDeployment", "") if path == OPERATOR else ("Deployment", "jobmanager")))
    urls = {value for name, value in environment(job).items() if re.match("SCURRY_(FUNCTIONS|WORKERS)", name)}
    services = {one["metadata"]["name"]: one["spec"] for one in objects if one["kind"] == "Service"}
    scheme = "https" if path == STANDALONE else "http"
    headless = {f"{scheme}://{name}:{spec['ports'][0]['port']}" for name, spec in services.items()
                if spec.get("clusterIP") == "None" and name != "scurry-redis"}  # fmt: skip
    assert urls == headless


def test_each_pool_has_an_endpoint_a_variable_and_workers_that_know_it() -> None:
    """The module of the ConfigMap is the repository's, with an endpoint more for each further pool."""
    objects = made(OPERATOR)
    module = find(objects, "ConfigMap", "module")["data"]["module.yaml"]
    assert module.startswith((chart.ROOT / "module.yaml").read_text().rstrip())
    by_scurry_up = extended((chart.ROOT / "module.yaml").read_text(), ("gpu", "large-memory"))
    assert list(yaml.safe_load_all(module)) == list(yaml.safe_load_all(by_scurry_up))
    job = environment(find(objects, "FlinkDeployment", ""))
    assert {"SCURRY_WORKERS_GPU", "SCURRY_WORKERS_LARGE_MEMORY"} <= set(job)
    pools = [environment(find(objects, "Deployment", f"workers{pool}")).get("SCURRY_POOL") for pool in ("", "-gpu")]
    assert pools == [None, "gpu"]


def test_a_pool_overrides_what_pools_have() -> None:
    """Also with `false` and 0, and only what it names."""
    gpu = find(made(OPERATOR), "Deployment", "workers-gpu")
    assert gpu["spec"]["replicas"] == 1
    assert main(gpu)["resources"]["limits"] == {"memory": "16Gi", "nvidia.com/gpu": "1"}
    assert pod(gpu)["nodeSelector"] == {"example.com/gpu": "true"}
    assert environment(gpu)["SCURRY_MEMORY_MB"] == "8192"
    assert environment(gpu)["SCURRY_THREADS"] == "2"
    scaled = {one["metadata"]["name"] for one in made(OPERATOR) if one["kind"] == "HorizontalPodAutoscaler"}
    assert scaled == {"scurry-functions", "scurry-gateway", "scurry-workers", "scurry-workers-large-memory"}


@ALL
def test_a_shelf_fits_under_its_limit(path: Path) -> None:
    """A quarter of the limit at least is left for the process and its batches."""
    for one in workers(path):
        shelf = int(environment(one)["SCURRY_MEMORY_MB"] or 0) * 2**20
        assert shelf <= 0.75 * number(main(one)["resources"]["limits"]["memory"])


def test_a_changed_module_restarts_what_read_it() -> None:
    """Functions and the JobManager carry its digest."""
    before = made(STANDALONE)
    after = chart.objects(STANDALONE, sets=('module={"more":"kind: other"}',))
    for name, restarts in {"functions": True, "jobmanager": True, "gateway": False}.items():
        templates = [find(objects, "Deployment", name)["spec"]["template"] for objects in (before, after)]
        assert (templates[0] != templates[1]) is restarts, name


def test_the_trial_fits_on_two_cores_and_eight_gib() -> None:
    """What its pods ask for leaves the node's own something, also while the largest of them is replaced."""
    objects = made(DEVELOPMENT)
    assert requested(objects, "cpu") + surge(objects, "cpu") <= 1.6
    assert requested(objects, "memory") + surge(objects, "memory") <= 7.25 * 2**30
    claims = [one["spec"] for one in objects if one["kind"] == "PersistentVolumeClaim"]
    assert [one["accessModes"] for one in claims] == [["ReadWriteOnce"]] * 2


def test_the_development_redis_leaves_nothing_to_the_image() -> None:
    """What the image's entry point would set is set: it takes callers from other pods, keeps all, evicts none."""
    args = main(find(made(DEVELOPMENT), "StatefulSet", "redis"))["args"]
    said = dict(zip(args[::2], args[1::2], strict=True))
    assert said["--protected-mode"] == "no"
    assert said["--bind"] == "*"
    assert (said["--appendonly"], said["--maxmemory-policy"], said["--save"]) == ("yes", "noeviction", "")
    limit = number(main(find(made(DEVELOPMENT), "StatefulSet", "redis"))["resources"]["limits"]["memory"])
    assert int(said["--maxmemory"].removesuffix("mb")) * 2**20 < limit


def test_models_are_declared_in_a_file_that_the_registry_reads() -> None:
    """As JSON, so that no image needs PyYAML; a change makes a Job of another name."""
    (config,) = (one for one in made(OPERATOR) if one["kind"] == "ConfigMap" and "models.json" in one["data"])
    models = read_document(json.loads(config["data"]["models.json"]))
    assert models["digits"].weights == {"1": 1}
    (job,) = (one for one in made(OPERATOR) if one["kind"] == "Job")
    assert main(job)["args"] == ["models", "apply", "/etc/scurry/models/models.json", "--yes", "--prune"]
    assert job["metadata"]["annotations"]["helm.sh/hook"] == "post-install,post-upgrade"
    changed = chart.objects(OPERATOR, sets=('models={"declared":{"digits":null}}',))
    (other,) = (one for one in changed if one["kind"] == "Job")
    assert other["metadata"]["name"] != job["metadata"]["name"]
    assert not any("helm.sh/hook" in one["metadata"].get("annotations", {}) for one in made(STANDALONE))


@pytest.mark.parametrize("change", [
    'image={"pullPolicy":"Always"}', 'gateway={"image":{"tag":"2"}}', 'redis={"existingSecret":"other"}',
    'keyPrefix="other"', 'models={"apply":{"prune":true}}',
])  # fmt: skip
def test_a_job_that_would_change_is_another(change: str) -> None:
    """The API server lets nobody change what a Job's pods are; so an upgrade makes a new one."""
    before, after = (
        next(one for one in objects if one["kind"] == "Job")
        for objects in (made(STANDALONE), chart.objects(STANDALONE, sets=(change,)))
    )
    assert before["spec"]["template"] != after["spec"]["template"]
    assert before["metadata"]["name"] != after["metadata"]["name"]


def test_models_come_from_where_the_values_say() -> None:
    """An image's are copied before a worker starts, a store's fetched with a Secret's keys, a claim's read."""
    (copied,) = workers(STANDALONE)
    (init,) = pod(copied)["initContainers"]
    assert (init["image"], init["command"]) == ("team/models:7", ["cp", "-R", "/models/.", "/models/"])
    (stored, *_) = workers(OPERATOR)
    assert environment(stored)["SCURRY_SOURCES"] == "s3://models/"
    assert main(stored)["envFrom"] == [{"secretRef": {"name": "models"}}]
    (claimed,) = workers(CLAIMS)
    claim = {"claimName": "models", "readOnly": True}
    assert {"name": "models", "persistentVolumeClaim": claim} in pod(claimed)["volumes"]
    assert not any(one["kind"] == "PersistentVolumeClaim" for one in made(CLAIMS))


def test_keda_reads_the_streams_lag() -> None:
    """From the group that the job mirrors its position in."""
    trigger = find(made(STANDALONE), "ScaledObject", "workers")["spec"]["triggers"][0]
    assert trigger["type"] == "redis-streams"
    wanted = {"stream": "scurry:requests", "consumerGroup": "scurry-job", "lagCount": "50", "enableTLS": "true"}
    assert wanted.items() <= trigger["metadata"].items()
    housekeeper = (chart.ROOT / "job/src/main/java/io/scurry/job/ingress/Housekeeper.java").read_text()
    assert f'GROUP = "{wanted["consumerGroup"]}"' in housekeeper


@pytest.mark.parametrize("release", ["s" * 53, f"scurry{'s' * 47}"])
def test_a_long_release_has_names_that_are_allowed(release: str) -> None:
    """With a pool whose name is as long as it may be."""
    pool = "p" * 20
    sets = ('redis={"existingSecret":"a"}', f'workers={{"pools":{{"default":{{}},"{pool}":{{}}}}}}')
    names = re.findall(r"^  name: (\S+)$", chart.text(sets=sets, release=release), re.MULTILINE)
    assert any(name.endswith(f"workers-{pool}") for name in names)
    assert max(map(len, names)) <= 63
    assert POOL_NAME.fullmatch(pool)


@ALL
def test_who_scales_has_no_number_of_his_own(path: Path) -> None:
    """Each upgrade would reset it."""
    scaled = {one["spec"]["scaleTargetRef"]["name"] for one in made(path)
              if one["kind"] in ("HorizontalPodAutoscaler", "ScaledObject")}  # fmt: skip
    for one in made(path):
        if one["kind"] == "Deployment":
            assert ("replicas" in one["spec"]) is (one["metadata"]["name"] not in scaled)
