"""The systemd units: what they start is understood, and what they may is little."""

from __future__ import annotations

import configparser
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.conftest import ROOT

from scurry.cli.main import parser
from scurry.serving import graces
from scurry.settings import BridgeSettings, FunctionsSettings, GatewaySettings, WorkerSettings

UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
DRAINS = {
    "functions": FunctionsSettings().drain_s, "worker": WorkerSettings().drain_s,
    "gateway": GatewaySettings().drain_s, "bridge": 0.0, "up": graces.longest(),
}  # fmt: skip
HARDENED = {
    "NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes",
    "PrivateTmp": "yes", "PrivateDevices": "yes", "RestrictNamespaces": "yes", "LockPersonality": "yes",
    "User": "scurry", "Restart": "on-failure",
}  # fmt: skip


def read(unit: Path) -> configparser.ConfigParser:
    """A unit, in which names are told apart by case."""
    found = configparser.ConfigParser(interpolation=None)
    found.optionxform = str  # type: ignore[assignment,method-assign]
    found.read(unit)
    return found


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_unit_starts_what_there_is_and_may_little(unit: Path) -> None:
    """Flags that the command line takes; no privileges; more time to stop than it takes to drain."""
    service = read(unit)["Service"]
    words = shlex.split(service["ExecStart"].replace("%i", "8110"))
    assert words[0] == "/opt/scurry/bin/scurry"
    assert parser(words[1:]).parse_args(words[1:]).verb == words[1]
    assert {name: service.get(name) for name in HARDENED} == HARDENED
    assert float(service["TimeoutStopSec"]) > DRAINS[words[1]]
    assert read(unit)["Install"]["WantedBy"] == "multi-user.target"


def test_every_part_has_a_unit() -> None:
    """And the whole has one."""
    assert {unit.stem for unit in UNITS} == {
        "scurry", "scurry-functions", "scurry-worker@", "scurry-gateway", "scurry-bridge",
    }  # fmt: skip
    assert BridgeSettings().port == 8120


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_systemd_takes_it(unit: Path, tmp_path: Path) -> None:
    """As its own tool says, but for the command, which is not on this machine."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine: the units are only parsed")
    copy = tmp_path / unit.name.replace("@", "@8110")
    copy.write_text(unit.read_text().replace("/opt/scurry/bin/scurry", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    assert (done.returncode, copy.name in done.stderr) == (0, False), done.stderr
