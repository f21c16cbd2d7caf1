"""Whether the manifests in deploy/ would be admitted, and by what rule not.

    python deploy/check.py [CRDS]      CRDS: the folder with the Flink operator's resource definitions

Built-in kinds are checked with the strict schemas of `kubernetes-validate`, a FlinkDeployment with the schema of the
operator's own definition in which every field that is not named is forbidden; and every pod with the rules of
docs/deploying.md.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate
import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
CRDS: Final = ROOT / ".build" / "crds" / "META-INF" / "fabric8"
VERSIONS: Final = ("1.28", "1.35")
"""The oldest and the newest Kubernetes that the manifests are checked against."""

Document = dict[str, Any]


def documents(path: Path) -> list[Document]:
    """The objects of one file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def manifests(folder: Path = KUBERNETES) -> list[Path]:
    """Every manifest; kustomization.yaml is kustomize's own and no manifest."""
    return sorted(path for path in folder.rglob("*.yaml") if path.name != "kustomization.yaml")


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
    for version in VERSIONS:
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
    elif document.get("kind") == "FlinkDeployment":
        # The operator sets image, probes and resources of this one itself.
        yield {**spec["podTemplate"]["spec"], "operator": True}


def _pod_violations(pod: Document) -> Iterator[str]:
    if pod.get("enableServiceLinks") is not False:
        yield "enableServiceLinks must be false, else Services fill the environment with variables nobody set"
    if pod.get("automountServiceAccountToken") is not (pod.get("serviceAccountName") is not None or "operator" in pod):
        yield "automountServiceAccountToken must be false, but for the job"
    security = pod.get("securityContext", {})
    if security.get("runAsNonRoot") is not True or not security.get("runAsUser"):
        yield "must run as a user that is not root"
    if security.get("seccompProfile") != {"type": "RuntimeDefault"}:
        yield "seccompProfile must be RuntimeDefault"
    for container in pod["containers"]:
        for text in _container_violations(container, operated="operator" in pod):
            yield f"{container['name']}: {text}"
    mounted = {mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])}
    for volume in {volume["name"] for volume in pod.get("volumes", [])} - mounted:
        yield f"volume {volume} is mounted nowhere"


def _container_violations(container: Document, *, operated: bool) -> Iterator[str]:
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
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        if probe not in container:
            yield f"has no {probe}"
    if "memory" not in container.get("resources", {}).get("limits", {}):
        yield "has no memory limit"


def main(arguments: list[str]) -> int:
    """Print every violation; exit status 1 when there is one."""
    crds = Path(arguments[0]) if arguments else CRDS
    found = [f"{path.relative_to(ROOT)}: {text}" for path in manifests() for document in documents(path)
             for text in violations(document, crds)]  # fmt: skip
    print("\n".join(found) or f"{len(manifests())} manifests hold")  # noqa: T201 (it is a command)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
