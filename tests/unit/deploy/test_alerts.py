"""The alerts: what Prometheus takes, what each is raised by, and where it is explained."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.conftest import ROOT

FILE = ROOT / "deploy" / "prometheus" / "alerts.yaml"
CASES = Path(__file__).with_name("alerts.test.yaml")
(GROUP,) = yaml.safe_load(FILE.read_text())["groups"]
RULES: list[dict[str, Any]] = GROUP["rules"]
NAMES = [rule["alert"] for rule in RULES]
SOURCES = "\n".join(path.read_text() for path in (ROOT / "functions").rglob("*.py"))


def promtool() -> str:
    """Prometheus' own tool, on the PATH or from `.ci/setup promtool`."""
    found = shutil.which("promtool") or shutil.which("promtool", path=str(ROOT / ".build" / "bin"))
    if not found:
        pytest.skip("no promtool: `.ci/setup promtool` builds it where Go and its proxy are at hand")
    return found


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_rule_says_what_is_wrong_and_where_it_is_explained(rule: dict[str, Any]) -> None:
    """A sentence each, a severity that somebody can route by, a heading of its own in docs/operating.md."""
    assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}
    assert rule["labels"] in ({"severity": "critical"}, {"severity": "warning"})
    assert set(rule["annotations"]) == {"summary", "description", "runbook"}
    assert all(rule["annotations"][name].endswith(".") for name in ("summary", "description"))
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    assert (page, anchor) == ("docs/operating.md", rule["alert"].lower())
    assert re.search(rf"^### {rule['alert']}$", (ROOT / page).read_text(), re.MULTILINE)


def test_names_are_their_own() -> None:
    """And all begin as ours do; every heading of the page is an alert that there is."""
    assert len(set(NAMES)) == len(NAMES)
    headings = re.findall(r"^### (Scurry\w+)$", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE)
    assert headings == NAMES


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_metric_is_one_that_some_page_serves(rule: dict[str, Any]) -> None:
    """By its name in the source; that it is on a page is shown in tests/e2e/test_alerts.py."""
    for name in re.findall(r"\bscurry_\w+", rule["expr"]):
        assert f'"{re.sub(r"_(bucket|sum|count)$", "", name)}"' in SOURCES, name


def test_each_alert_is_tested_by_a_fault_and_by_a_calm() -> None:
    """What is not tried is no alert."""
    calm, broken, silent = yaml.safe_load(CASES.read_text())["tests"]
    assert [case["alertname"] for case in calm["alert_rule_test"] if "exp_alerts" not in case] == NAMES
    assert [case["alertname"] for case in broken["alert_rule_test"] if case["exp_alerts"]] == NAMES
    assert silent["alert_rule_test"][0]["exp_alerts"]


def test_prometheus_takes_the_rules() -> None:
    """As its own tool says."""
    done = subprocess.run([promtool(), "check", "rules", str(FILE)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_raises_each_alert_by_its_fault(tmp_path: Path) -> None:
    """And none without one. The texts are left out: they hold figures."""
    bare = [{name: value for name, value in rule.items() if name != "annotations"} for rule in RULES]
    (tmp_path / "alerts.yaml").write_text(yaml.safe_dump({"groups": [GROUP | {"rules": bare}]}))
    cases = yaml.safe_load(CASES.read_text()) | {"rule_files": ["alerts.yaml"]}
    (tmp_path / "cases.yaml").write_text(yaml.safe_dump(cases))
    command = [promtool(), "test", "rules", str(tmp_path / "cases.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
