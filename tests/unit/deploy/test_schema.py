"""Values that are not known, not right or contradict each other are refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import chart
import pytest
import yaml
from tests.unit.deploy.rendered import needs_helm

from scurry.rules import RULES

SCHEMA = json.loads((chart.CHART / "values.schema.json").read_text())
THROUGH = 'models={"apply":{"through":"gateway","prune":true}}'
OWN_REDIS = 'redis={"existingSecret":"addresses"}'


def objects(schema: dict[str, Any], at: str = "values") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every schema inside a schema, with its place."""
    yield at, schema
    for part in ("properties", "$defs"):
        for name, one in schema.get(part, {}).items():
            yield from objects(one, f"{at}.{name}")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from objects(schema[part], f"{at}.{part}")


def test_every_object_is_closed_and_every_value_explained() -> None:
    """Whoever mistypes a name hears of it; whoever opens the schema reads what each is for."""
    for at, schema in objects(SCHEMA):
        if "properties" in schema:
            assert schema["additionalProperties"] is False, at
            assert [name for name, one in schema["properties"].items() if not one.get("description")] == [], at


def test_every_default_is_in_the_schema_and_every_value_has_one() -> None:
    """values.yaml names every value there is, but for lists, maps of the user's and the defaults of pools."""
    values = yaml.safe_load((chart.CHART / "values.yaml").read_text())

    def known(schema: dict[str, Any], said: dict[str, Any], at: str) -> None:
        schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        names = set(schema.get("properties", {}))
        if not names or at.endswith((".callbacks", ".image", ".resources", ".existing")):
            return
        assert set(said) == names - {"global"}, at
        for name in names - {"global"}:
            if isinstance(said[name], dict):
                known(schema["properties"][name], said[name], f"{at}.{name}")

    known(SCHEMA, values, "values")


REFUSED = {
    "unknown value": ('gateway={"replica":3}', "replica"),
    "unknown value far down": ('workers={"pools":{"default":{"resources":{"limit":{}}}}}', "limit"),
    "unknown component": ("worker={}", "worker"),
    "wrong type": ('job={"parallelism":"two"}', "job/parallelism"),
    "wrong choice": ('job={"mode":"session"}', "job/mode"),
    "not a quantity": ('functions={"resources":{"limits":{"memory":"lots"}}}', "memory"),
    "no memory limit": ('bridge={"resources":{"limits":{"memory":null}}}', "memory"),
    "a pool's name": ('workers={"pools":{"GPU":{}}}', "GPU"),
    "no default pool": ('workers={"pools":{"default":null}}', "default"),
    "latest": ('job={"image":{"tag":"latest"}}', "job/image/tag"),
    "a secret as a variable": ('gateway={"env":{"SCURRY_ADMIN_KEY":"x"}}', "SCURRY_ADMIN_KEY"),
    "a password as a variable": ('workers={"defaults":{"env":{"MY_PASSWORD":"x"}}}', "MY_PASSWORD"),
    "no Redis": ('redis={"existingSecret":""}', "No Redis"),
    "two Redis": ('redis={"existingSecret":"a","development":{"enabled":true}}', "choose one"),
    "state in two places": ('job={"state":{"claim":{"existing":"a"},"objectStore":{"uri":"s3://a"}}}', "two places"),
    "client certificates alone": ('gateway={"tls":{"clientCertificates":true}}', "gateway.tls.existingSecret"),
    "KEDA without an address": ('gateway={"autoscaling":{"kind":"keda"}}', "keda.address"),
    "an entrance without a name": ('ingress={"enabled":true}', "ingress.host"),
    "models through a gateway that refuses": (THROUGH, "gateway.adminKey"),
    "models through TLS": (
        f'{THROUGH},gateway={{"adminKey":{{"existingSecret":"a"}},"tls":{{"existingSecret":"b"}}}}', "say redis"
    ),
    "models of no image": ('models={"source":"image"}', "models.image.repository"),
    "models of no store": ('models={"source":"objectStore"}', "models.objectStore.sources"),
    "old Kubernetes": ("", "kubeVersion"),
}


SETTINGS = {
    "keyPrefix": "namespace", "log.level": "log_level", "log.format": "log_format",
    "gateway.drainSeconds": "drain_s", "functions.drainSeconds": "drain_s",
    "job.onGap": "on_gap", "job.clusterServingTtl": "cluster_serving_ttl",
    "job.checkpoints.interval": "checkpoint_interval", "models.objectStore.cacheMb": "cache_mb",
}  # fmt: skip
"""Values that a process is started with, and the setting that each becomes."""
OF_POOLS = {"drainSeconds": "drain_s", "memoryMb": "memory_mb", "threads": "threads"}
TEXTS = ("", "0s", "0 s", "5s", "7d", "5m", "5min", "10 s", "1h", "500ms", "{a}:b", "a b", "x" * 129)


def taken(schema: dict[str, Any]) -> list[Any]:
    """Some of what a schema takes: all of its words, its bounds, or those texts that fit its pattern."""
    if "enum" in schema:
        return list(schema["enum"])
    if schema["type"] == "integer":
        return [schema["minimum"], schema.get("maximum", 1 << 40)]
    return [text for text in TEXTS if re.search(schema["pattern"], text)]


@pytest.mark.parametrize(("value", "setting"), [*SETTINGS.items(), *((f"$pool.{a}", b) for a, b in OF_POOLS.items())])
def test_what_is_taken_here_is_taken_by_the_process(value: str, setting: str) -> None:
    """No value passes the chart and ends a pod; what the process begins with is allowed."""
    here = SCHEMA
    for part in value.split("."):
        here = here["$defs"]["pool"] if part == "$pool" else here["properties"][part]
    values = taken(here)
    assert values
    assert [one for one in values if not RULES[setting][1](one)] == []


@needs_helm
@pytest.mark.parametrize("name", REFUSED)
def test_a_mistake_is_refused_by_name(name: str) -> None:
    """The sentence names the value that is wrong."""
    value, word = REFUSED[name]
    version = "1.28" if name == "old Kubernetes" else chart.VERSIONS[-1]
    with pytest.raises(chart.Refused) as refused:
        chart.text(sets=(OWN_REDIS, *([value] if value else [])), version=version)
    assert word in str(refused.value)
