"""The compose file: hardened, bounded, watched, and of the images and flags that there are."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT

from scurry.job.jars import OPENS
from scurry.serving.java import reporter
from scurry.settings import variables

FOLDER = ROOT / "deploy" / "compose"
WHOLE: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = WHOLE["services"]
OURS = {name: each for name, each in SERVICES.items() if each["image"].startswith("scurry/")}
KNOWN = {
    "image", "user", "command", "entrypoint", "environment", "volumes", "ports", "healthcheck", "mem_limit", "cpus",
    "profiles", "stop_grace_period", "restart", "read_only", "init", "cap_drop", "security_opt", "tmpfs",
}  # fmt: skip


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_hardened_bounded_and_watched(name: str) -> None:
    """No writable root, no capability, a limit of memory and cores, a health check; nothing that compose has not."""
    service = SERVICES[name]
    assert set(service) <= KNOWN
    assert (service["read_only"], service["cap_drop"], service["restart"]) == (True, ["ALL"], "unless-stopped")
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"] > 0
    assert service["healthcheck"]["test"][0] == "CMD"
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ())), "callers from outside are a choice"
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")


def test_images_are_targets_of_the_dockerfile() -> None:
    """Each by its name; all of one tag."""
    targets = set(re.findall(r"^FROM \S+ AS (\S+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE))
    images = {each["image"] for each in OURS.values()}
    assert {image.removeprefix("scurry/").partition(":")[0] for image in images} <= targets
    assert {image.partition(":")[2] for image in images} == {"${SCURRY_TAG:-0.1.0}"}
    assert {"functions", "worker", "gateway", "job"} <= set(OURS)


def test_settings_are_those_that_there_are() -> None:
    """No variable that nobody reads."""
    named = {variable for each in OURS.values() for variable in each.get("environment", {})}
    assert named <= variables()


def test_files_and_volumes_are_there() -> None:
    """What is mounted exists, or is declared; every volume is used."""
    mounts = [mount.rsplit(":", 2 if mount.endswith(":ro") else 1)[0] for each in SERVICES.values()
              for mount in each.get("volumes", ())]  # fmt: skip
    files = [mount for mount in mounts if mount.startswith(".")]
    assert all((FOLDER / mount).exists() for mount in files)
    assert {mount for mount in mounts if re.fullmatch(r"[a-z-]+", mount)} == set(WHOLE["volumes"])


def test_the_job_is_started_as_scurry_up_starts_it() -> None:
    """The same doors into Java opened, the same reporter."""
    entrypoint, command = SERVICES["job"]["entrypoint"], SERVICES["job"]["command"]
    assert [word for word in entrypoint if word.startswith("--add-opens")] == list(OPENS)
    port = int(next(word for word in command if "prom.port" in word).partition("=")[2])
    assert [word for word in command if word.startswith("-D")] == [f"-D{k}={v}" for k, v in reporter(port).items()]


def test_prometheus_scrapes_every_part() -> None:
    """By the names and ports of the services; with our alerts."""
    scraped = yaml.safe_load((FOLDER / "prometheus.yaml").read_text())
    assert scraped["rule_files"] == ["/etc/prometheus/alerts.yaml"]
    found = {each["job_name"]: each["dns_sd_configs"][0] for each in scraped["scrape_configs"]}
    assert {name: each["names"] for name, each in found.items()} == {name: [name] for name in found}
    assert {name: each["port"] for name, each in found.items()} == {
        "gateway": 8002, "functions": 8100, "worker": 8110, "job": 9249,
    }  # fmt: skip
    assert set(found) <= set(SERVICES)
