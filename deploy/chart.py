"""What the Helm chart makes of values.

Helm is the one on the PATH, or the one that `.ci/setup helm` built; without it nothing here can be rendered.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any, Final

import yaml

ROOT: Final = Path(__file__).resolve().parent.parent
CHART: Final = ROOT / "deploy" / "helm" / "scurry"
OWN: Final = ROOT / ".build" / "bin" / "helm"
VERSIONS: Final = ("1.29", "1.33", "1.37")
"""Versions of Kubernetes that everything is rendered for and checked against: oldest, middle, newest."""

VALUES: Final = sorted([*CHART.parent.glob("*.yaml"), *(ROOT / "tests" / "deploy" / "values").glob("*.yaml")])
"""Every values file: those that ship, and those that exercise the chart."""

MISSING: Final = "no helm: `.ci/setup helm` builds it where Go is"
Document = dict[str, Any]


class Refused(Exception):
    """Helm, the schema or a template would not have these values; says why."""


def helm() -> str | None:
    """The helm to run, ours first; None when there is none."""
    return str(OWN) if OWN.exists() else shutil.which("helm")


def text(*values: Path, version: str = VERSIONS[-1], sets: tuple[str, ...] = (), show: str = "",
         release: str = "scurry") -> str:  # fmt: skip
    """The chart as YAML, as a release in the namespace `scurry`. Raises `Refused`."""
    command = [helm() or "helm", "template", release, str(CHART), "--namespace", "scurry"]
    command += ["--kube-version", f"{version}.0"]
    command += [word for path in values for word in ("--values", str(path))]
    command += [word for one in sets for word in ("--set-json", one)]
    command += ["--show-only", f"templates/{show}"] if show else []
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stderr.strip())
    return done.stdout


def objects(*values: Path, version: str = VERSIONS[-1], sets: tuple[str, ...] = ()) -> list[Document]:
    """The objects that the chart makes. Raises `Refused`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    made = yaml.load_all(text(*values, version=version, sets=sets), Loader=loader)
    return [document for document in made if document]
