"""The dashboard: what Grafana takes. That its metrics exist is shown in tests/e2e/test_sight.py."""

from __future__ import annotations

import json
from pathlib import Path

BOARD = json.loads((Path(__file__).resolve().parents[3] / "deploy" / "grafana" / "scurry.json").read_text())


def test_panels_have_places_and_queries_of_their_own():
    """None lies over another, and all ask the Prometheus that is chosen."""
    panels = BOARD["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels) >= 12
    taken = [(panel["gridPos"]["x"] + dx, panel["gridPos"]["y"]) for panel in panels
             for dx in range(panel["gridPos"]["w"])]  # fmt: skip
    assert len(set(taken)) == len(taken)
    assert all(0 <= x < 24 for x, _ in taken)
    (source,) = BOARD["templating"]["list"]
    for panel in panels:
        assert panel["datasource"] == {"type": "prometheus", "uid": f"${{{source['name']}}}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"]) > 0
        for target in panel["targets"]:
            assert target["expr"].count("(") == target["expr"].count(")")
    assert isinstance(BOARD["schemaVersion"], int)
