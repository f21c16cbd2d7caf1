"""Who reaches whom, who may do what, and what a pod shows the world."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import chart
import pytest
from tests.unit.deploy.rendered import (
    CLAIMS,
    DECLARED,
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

pytestmark = needs_helm
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
ALL = pytest.mark.parametrize("path", chart.VALUES, ids=lambda path: path.stem)


def policy(path: Path, name: str) -> dict[str, Any]:
    """The spec of a NetworkPolicy."""
    found: dict[str, Any] = find(made(path), "NetworkPolicy", name)["spec"]
    return found


def ports(rules: list[dict[str, Any]]) -> set[int]:
    """Every port that rules open."""
    return {one["port"] for rule in rules for one in rule.get("ports", [])}


def test_redis_and_the_api_server_have_the_ports_that_the_values_say() -> None:
    """Nothing else is open to whatever lies outside."""
    for name in ("worker", "gateway", "bridge", "models", "job"):
        to_redis = [rule for rule in policy(OPERATOR, name)["egress"] if ports([rule]) == {6380, 26379}]
        assert [rule["to"] for rule in to_redis] == [[{"ipBlock": {"cidr": "10.0.0.0/8"}}]], name
    assert {16443, 8100, 8110, 6380, 26379, 9000} == ports(policy(OPERATOR, "job")["egress"])
    assert 6379 not in ports(policy(OPERATOR, "worker")["egress"])
    for name in ("worker", "gateway", "models", "job"):
        assert {6379, 26379} <= ports(policy(STANDALONE, name)["egress"]), name


def test_flinks_rest_is_open_to_the_operator_alone() -> None:
    """Who reaches it starts and stops jobs."""
    (inside, rest) = policy(OPERATOR, "job")["ingress"]
    assert ports([rest]) == {8081}
    operator = {"matchLabels": {"app.kubernetes.io/name": "flink-kubernetes-operator"}}
    assert rest["from"] == [{"namespaceSelector": {}, "podSelector": operator}]
    assert len(policy(STANDALONE, "job")["ingress"]) == 1
    (peer,) = inside["from"]
    assert peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "job"


def test_everything_that_has_redis_address_reaches_the_development_redis() -> None:
    """The bridge and the Job that applies models too."""
    (peer,) = policy(DEVELOPMENT, "redis")["ingress"][0]["from"]
    allowed = set(peer["podSelector"]["matchExpressions"][0]["values"])
    bridged = chart.objects(DEVELOPMENT, sets=('bridge={"enabled":true}', 'models={"declared":{"a":{}}}'))
    readers = {one["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/component"] for one in bridged
               if one["kind"] in ("Deployment", "Job") and "SCURRY_REDIS_URL_FILE" in environment(one)}  # fmt: skip
    assert readers == allowed


def test_models_may_be_applied_without_a_word_to_redis() -> None:
    """The Job has the admin key and the way to the gateway, which others may not come in by, and nothing of Redis."""
    (job,) = (one for one in made(DECLARED) if one["kind"] == "Job")
    told = environment(job)
    assert told == {"SCURRY_URL": "http://scurry-gateway:8000", "SCURRY_ADMIN_KEY_FILE": "/etc/scurry/admin/key"}
    assert {one["name"] for one in pod(job)["volumes"]} == {"tmp", "models", "admin"}
    (out,) = policy(DECLARED, "models")["egress"]
    assert (ports([out]), component(out["to"])) == ({8000}, "gateway")
    (outside, inside) = policy(DECLARED, "gateway")["ingress"]
    assert (ports([inside]), component(inside["from"])) == ({8000}, "models")
    assert "namespaceSelector" in outside["from"][0]


def component(peers: list[dict[str, Any]]) -> str:
    """The one part of this release that a rule names."""
    (peer,) = peers
    return str(peer["podSelector"]["matchLabels"]["app.kubernetes.io/component"])


@ALL
def test_a_grace_is_longer_than_what_a_process_takes(path: Path) -> None:
    """The pause before SIGTERM and what it takes to drain, in every values file."""
    for one in made(path):
        if one["kind"] == "Deployment" and "SCURRY_DRAIN_S" in environment(one):
            pause = float(main(one)["lifecycle"]["preStop"]["exec"]["command"][1])
            drain = float(environment(one)["SCURRY_DRAIN_S"] or "nan")
            assert pause >= 5, "until nobody sends to it any more"
            assert pod(one)["terminationGracePeriodSeconds"] >= pause + drain + 10


@ALL
def test_every_pod_has_a_page_of_metrics_that_prometheus_may_read(path: Path) -> None:
    """A port, an annotation unless they are off, and the policy."""
    scraped = {"gateway": 8002, "functions": 8100, "worker": 8110, "bridge": 8120, "job": 9249}
    for one in made(path):
        if one["kind"] not in ("Deployment", "FlinkDeployment"):
            continue
        spec = one["spec"]
        meta = (spec["podTemplate"] if one["kind"] == "FlinkDeployment" else spec["template"])["metadata"]
        port = scraped[meta["labels"]["app.kubernetes.io/component"]]
        assert port in {one["containerPort"] for one in main(one)["ports"]}
        expected = None if path == STANDALONE else str(port)
        assert meta["annotations"].get("prometheus.io/port") == expected
        if path != CLAIMS:
            assert port in ports(policy(path, "metrics")["ingress"])


@ALL
def test_policies_and_services_choose_pods_of_this_release(path: Path) -> None:
    """Another release in the namespace, or another product, is not touched."""
    own = {"app.kubernetes.io/name": "scurry", "app.kubernetes.io/instance": "scurry"}
    for one in made(path):
        spec = one.get("spec", {})
        chosen = spec.get("podSelector", {}).get("matchLabels") if one["kind"] == "NetworkPolicy" else None
        chosen = spec.get("selector") if one["kind"] == "Service" else chosen
        assert chosen is None or own.items() <= chosen.items()


def test_without_the_operator_the_job_may_only_elect_its_leader() -> None:
    """Flink's high availability writes ConfigMaps; pods are started by the operator's native mode alone."""
    resources = [rule["resources"] for rule in find(made(STANDALONE), "Role", "job")["rules"]]
    assert resources == [["configmaps"]]
    assert len(find(made(OPERATOR), "Role", "job")["rules"]) == 3


@ALL
def test_secrets_are_mounted_or_referred_to(path: Path) -> None:
    """Every secret is a file; the address of Redis that under the key of its role."""
    roles = {"gateway": "gateway", "worker": "worker", "bridge": "bridge", "job": "job", "models": "admin"}
    for one in made(path):
        if one["kind"] not in ("Deployment", "Job", "FlinkDeployment"):
            continue
        labels = one["metadata"]["labels"]
        assert not any("secretKeyRef" in variable.get("valueFrom", {}) for variable in main(one)["env"])
        if environment(one).get("SCURRY_REDIS_URL_FILE") is None:
            continue
        (volume,) = (volume for volume in pod(one)["volumes"] if volume["name"] == "redis")
        (mount,) = (mount for mount in main(one)["volumeMounts"] if mount["name"] == "redis")
        first = volume["projected"]["sources"][0]["secret"]["items"][0]
        assert f"{mount['mountPath']}/{first['path']}" == environment(one)["SCURRY_REDIS_URL_FILE"]
        assert first["key"] in ("url", roles[labels["app.kubernetes.io/component"]])
        assert mount["readOnly"] is True
        assert volume["projected"]["defaultMode"] == 0o440
    if path != DEVELOPMENT:
        assert not any(one["kind"] == "Secret" for one in made(path))


def test_keys_and_certificates_are_files() -> None:
    """Which the gateway reads again when they change; with client certificates probes look at the port."""
    gateway = find(made(OPERATOR), "Deployment", "gateway")
    said = environment(gateway)
    assert (said["SCURRY_API_KEYS"], said["SCURRY_TLS_CERT"]) == ("/etc/scurry/keys/keys", "/etc/scurry/tls/tls.crt")
    assert said["SCURRY_TLS_CLIENT_CA"] == "/etc/scurry/tls/ca.crt"
    assert said["SCURRY_ADMIN_KEY_FILE"] == "/etc/scurry/admin/key"
    assert "tcpSocket" in main(gateway)["readinessProbe"]
    over_tls = main(find(made(STANDALONE), "Deployment", "gateway"))["readinessProbe"]
    assert over_tls["httpGet"]["scheme"] == "HTTPS"
    mounts = {one["name"] for one in main(gateway)["volumeMounts"]}
    assert {"keys", "tls", "admin", "redis"} <= mounts
    for one in made(OPERATOR):
        if one["kind"] in ("Deployment", "Job", "FlinkDeployment") and "SCURRY_REDIS_URL_FILE" in environment(one):
            (volume,) = (volume for volume in pod(one)["volumes"] if volume["name"] == "redis")
            assert volume["projected"]["sources"][-1]["secret"]["name"] == "redis-ca"


def test_the_job_and_its_processes_show_each_other_certificates() -> None:
    """All of them mount the Secret; the job is told of it, probes speak TLS, Flink's processes read the same files."""
    objects = made(STANDALONE)
    for name in ("functions", "workers"):
        one = find(objects, "Deployment", name)
        assert environment(one)["SCURRY_TLS_CLIENT_CA"] == "/etc/scurry/tls/ca.crt"
        assert {main(one)[probe]["httpGet"]["scheme"] for probe in PROBES} == {"HTTPS"}
    job = environment(find(objects, "Deployment", "jobmanager"))
    assert job["SCURRY_TLS_CLIENT_KEY"] == "/etc/scurry/tls/tls.key"
    for name in ("functions", "workers", "jobmanager", "taskmanager"):
        one = find(objects, "Deployment", name)
        (volume,) = (volume for volume in pod(one)["volumes"] if volume["name"] == "tls")
        assert volume["secret"]["secretName"] == "inner-tls"
        assert "/etc/scurry/tls" in {mount["mountPath"] for mount in main(one)["volumeMounts"]}


@ALL
def test_everything_that_serves_has_a_budget_that_lets_nodes_be_emptied(path: Path) -> None:
    """One at a time; broken ones always."""
    budgets = {one["metadata"]["name"]: one["spec"] for one in made(path) if one["kind"] == "PodDisruptionBudget"}
    serving = {one["metadata"]["name"] for one in made(path) if one["kind"] == "Deployment"} - {"scurry-jobmanager"}
    assert set(budgets) == serving
    for spec in budgets.values():
        assert (spec["maxUnavailable"], spec["unhealthyPodEvictionPolicy"]) == (1, "AlwaysAllow")
