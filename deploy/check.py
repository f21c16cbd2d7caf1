"""Whether what the chart makes would be admitted, and by what rule not.

    python deploy/check.py [VALUES…]      every values file unless some are named

Built-in kinds are checked with the strict schemas of `kubernetes-validate`, a FlinkDeployment with the schema of the
operator's own definition in which every field that is not named is forbidden; and every pod with the rules of
docs/deploying.md. Of other operators' kinds only the names of the fields under `spec` are held against `FOREIGN`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import chart
import jsonschema
import kubernetes_validate
import yaml

CRDS: Final = chart.ROOT / ".build" / "crds" / "META-INF" / "fabric8"
FOREIGN: Final = {
    ("monitoring.coreos.com/v1", "PodMonitor"): {"selector", "podTargetLabels", "podMetricsEndpoints"},
    ("monitoring.coreos.com/v1", "PrometheusRule"): {"groups"},
    ("keda.sh/v1alpha1", "ScaledObject"): {"scaleTargetRef", "minReplicaCount", "maxReplicaCount", "pollingInterval",
                                           "advanced", "triggers"},
    ("gateway.networking.k8s.io/v1", "HTTPRoute"): {"parentRefs", "hostnames", "rules"},
}  # fmt: skip
"""Kinds of operators that need not be there, with the fields that ours have."""

PROBES: Final = ("startupProbe", "livenessProbe", "readinessProbe")
Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    """The objects of one file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def violations(document: Document, crds: Path = CRDS) -> list[str]:
    """Each rule that an object breaks, as one sentence."""
    found = list(_schema_violations(document, crds))
    for pod in _pods(document):
        found += _pod_violations(pod)
    name = f"{document.get('kind')}/{document.get('metadata', {}).get('name')}"
    return [f"{name}: {text}" for text in found]


def strict(schema: Document) -> Document:
    """An OpenAPI schema in which every field that is not named is forbidden."""
    result = {key: _strict_part(value) for key, value in schema.items()}
    if "properties" in schema:
        result["properties"] = {name: strict(part) for name, part in schema["properties"].items()}
        if "additionalProperties" not in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
            result["additionalProperties"] = False
    return result


def _strict_part(value: object) -> object:
    if isinstance(value, dict):
        return strict(value)
    if isinstance(value, list):
        return [strict(item) if isinstance(item, dict) else item for item in value]
    return value


def _schema_violations(document: Document, crds: Path) -> Iterator[str]:
    group = str(document.get("apiVersion", "")).partition("/")[0]
    if group == "flink.apache.org":
        yield from _custom_violations(document, crds)
        return
    if (fields := FOREIGN.get((str(document.get("apiVersion")), str(document.get("kind"))))) is not None:
        yield from (f"spec.{name} is no field that we know" for name in document["spec"].keys() - fields)
        return
    for version in chart.VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield f"{'.'.join(map(str, error.path))}: {error.message} (Kubernetes {version})"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield error.message


def _custom_violations(document: Document, crds: Path) -> Iterator[str]:
    schema = definitions(crds).get((document["apiVersion"], document["kind"]))
    if schema is None:
        yield f"no definition of {document['apiVersion']} {document['kind']} in {crds}; `make check` fetches them"
        return
    for error in jsonschema.Draft7Validator(schema).iter_errors(document):
        yield f"{'.'.join(map(str, error.path))}: {error.message}"


@functools.cache
def definitions(crds: Path) -> dict[tuple[str, str], Document]:
    """The strict schema of each custom resource: (apiVersion, kind) → schema."""
    found = {}
    for path in crds.glob("*-v1.yml"):
        spec = yaml.load(path.read_text(), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))["spec"]
        for version in spec["versions"]:
            schema = strict(version["schema"]["openAPIV3Schema"])
            schema["properties"] |= {"apiVersion": {}, "kind": {}, "metadata": {}}
            found[f"{spec['group']}/{version['name']}", spec["names"]["kind"]] = schema
    return found


def _pods(document: Document) -> Iterator[Document]:
    spec = document.get("spec", {})
    if document.get("kind") in ("Deployment", "StatefulSet"):
        yield spec["template"]["spec"]
    elif document.get("kind") in ("Job", "Pod"):
        yield {**(spec["template"]["spec"] if "template" in spec else spec), "ends": True}
    elif document.get("kind") == "FlinkDeployment":
        # The operator sets image, probes and resources of this one itself.
        yield {**spec["podTemplate"]["spec"], "operator": True}


def _pod_violations(pod: Document) -> Iterator[str]:
    if pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks must be false, else Services fill the environment with variables nobody set"
    is_job = "operator" in pod or str(pod.get("serviceAccountName")).endswith("-job")
    if pod.get("automountServiceAccountToken") is not is_job:
        yield "automountServiceAccountToken must be false, but for the job"
    if "operator" not in pod and pod.get("serviceAccountName", "default") == "default":
        yield "must have a service account of ours"
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "must run as a user that is not root"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "seccompProfile must be RuntimeDefault"
    containers = [(one, PROBES) for one in pod["containers"]] + [(one, ()) for one in pod.get("initContainers", [])]
    for container, probes in containers:
        rules = _container_violations(container, () if "ends" in pod else probes, operated="operator" in pod)
        yield from (f"{container['name']}: {text}" for text in rules)
    mounted = {mount["name"] for container, _ in containers for mount in container.get("volumeMounts", [])}
    for volume in {volume["name"] for volume in pod.get("volumes", [])} - mounted:
        yield f"volume {volume} is mounted nowhere"


def _container_violations(container: Document, probes: tuple[str, ...], *, operated: bool) -> Iterator[str]:
    yield from (f"{one['name']} holds a secret" for one in container.get("env", []) if _is_secret(one))
    security = container.get("securityContext", {})
    if security.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem must be true"
    if security.get("allowPrivilegeEscalation") is not False or security.get("capabilities") != {"drop": ["ALL"]}:
        yield "must not gain privileges and must drop all capabilities"
    if operated:
        return
    tag = container["image"].rpartition("/")[2].partition(":")[2]
    if tag in ("", "latest"):
        yield f"image {container['image']} needs a version"
    for probe in probes:
        if probe not in container:
            yield f"has no {probe}"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "has no memory limit"


def _is_secret(variable: Document) -> bool:
    """Whether it is in the environment what belongs into a file: by its name, its origin, or an address with a user."""
    value = str(variable.get("value", ""))
    named = any(word in variable["name"] for word in ("PASSWORD", "SECRET", "TOKEN", "ADMIN_KEY", "REDIS_URL"))
    if "secretKeyRef" in variable.get("valueFrom", {}):
        return True
    is_path = variable["name"].endswith("_FILE")
    return bool(value) and ((named and not is_path) or "@" in value.partition("://")[2])


def main(arguments: list[str]) -> int:
    """Print every violation; exit status 1 when there is one."""
    paths = [Path(name) for name in arguments] or chart.VALUES
    found = [f"{path.name}: {text}" for path in paths for document in chart.objects(path)
             for text in violations(document)]  # fmt: skip
    print("\n".join(found) or f"{len(paths)} values files hold")  # noqa: T201 (it is a command)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
