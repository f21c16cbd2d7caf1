"""Grace periods add up: nobody is killed while he still may finish."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scurry.serving import graces
from scurry.settings import FunctionsSettings, GatewaySettings, WorkerSettings

BASE = Path(__file__).resolve().parents[3] / "deploy" / "kustomize" / "base" / "scurry.yaml"
DRAINS = {
    "functions": FunctionsSettings().drain_s,
    "workers": WorkerSettings().drain_s,
    "gateway": GatewaySettings().drain_s,
}


def test_every_process_has_its_place() -> None:
    """In one stage, with one patience."""
    placed = [name for stage in graces.STAGES for name in stage]
    assert sorted(placed) == sorted({**graces.DRAINS_S, **graces.ENDS_S})
    assert graces.patience("worker-3") == graces.patience("worker")


@pytest.mark.parametrize("name", graces.DRAINS_S)
def test_the_supervisor_waits_longer_than_they_take(name: str) -> None:
    """Each is told how long it may take, and killed only after that."""
    assert graces.patience(name) >= graces.DRAINS_S[name] + graces.MARGIN_S


def test_all_of_it_ends_within_what_is_usual() -> None:
    """Systemd kills after 90 s, a container's runtime often after 30 or 60."""
    assert graces.longest() <= 35


@pytest.mark.parametrize("name", DRAINS)
def test_a_pod_outlives_its_drain(name: str) -> None:
    """The pause before SIGTERM, what the process takes, and some more."""
    objects = [one for one in yaml.safe_load_all(BASE.read_text()) if one and one["kind"] == "Deployment"]
    spec = next(one["spec"]["template"]["spec"] for one in objects if one["metadata"]["name"] == f"scurry-{name}")
    (container,) = spec["containers"]
    pause = float(container["lifecycle"]["preStop"]["exec"]["command"][1])
    (drain,) = (float(one["value"]) for one in container["env"] if one["name"] == "SCURRY_DRAIN_S")
    assert drain == DRAINS[name]
    assert pause + drain + graces.MARGIN_S <= spec["terminationGracePeriodSeconds"]
