"""What tests of the chart look things up with."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import chart
import check
import pytest

Document = dict[str, Any]
DEVELOPMENT = chart.CHART.parent / "development.yaml"
OPERATOR, STANDALONE, CLAIMS, DECLARED = (
    chart.ROOT / "tests" / "deploy" / "values" / f"{name}.yaml"
    for name in ("operator", "standalone", "claims", "declared")
)
needs_helm = pytest.mark.skipif(chart.helm() is None, reason=chart.MISSING)
needs_crds = pytest.mark.skipif(not check.CRDS.is_dir(), reason="`make check` fetches the operator's definitions")


@functools.cache
def made(path: Path) -> list[Document]:
    """What the chart makes of a values file; not to be changed."""
    return chart.objects(path)


def find(objects: list[Document], kind: str, name: str) -> Document:
    """The object of that kind and name; the release's name is left out."""
    full = f"scurry-{name}" if name else "scurry"
    (found,) = (one for one in objects if (one["kind"], one["metadata"]["name"]) == (kind, full))
    return found


def pod(document: Document) -> Document:
    """The pod of a Deployment, Job, StatefulSet or FlinkDeployment."""
    spec = document["spec"]
    found: Document = (spec["podTemplate"] if document["kind"] == "FlinkDeployment" else spec["template"])["spec"]
    return found


def main(document: Document) -> Document:
    """The first container of that pod."""
    found: Document = pod(document)["containers"][0]
    return found


def environment(document: Document) -> dict[str, str | None]:
    """The variables of that container; None for what a Secret holds."""
    return {one["name"]: one.get("value") for one in main(document)["env"]}


def number(quantity: object) -> float:
    """A quantity of Kubernetes' as a number: cores or bytes."""
    matched = re.fullmatch(r"([0-9.]+)(m|Ki|Mi|Gi|)", str(quantity))
    assert matched, quantity
    return float(matched[1]) * {"m": 0.001, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "": 1}[matched[2]]


def surge(objects: list[Document], resource: str) -> float:
    """What the largest pod asks for, which is there twice while it is replaced."""
    workloads = [one for one in objects if one["kind"] == "Deployment"]
    return max(number(main(one)["resources"]["requests"][resource]) for one in workloads)


def requested(objects: list[Document], resource: str) -> float:
    """What all pods together ask the scheduler for."""
    workloads = [one for one in objects if one["kind"] in ("Deployment", "StatefulSet")]
    return sum(one["spec"]["replicas"] * number(main(one)["resources"]["requests"][resource]) for one in workloads)
