"""A record as readers see it."""

from __future__ import annotations

import json

from tests.unit.registry.test_record import record

from scurry.registry import views
from scurry.wire.messages_pb2 import Record


def test_view() -> None:
    """Readers see every version with its state and reason."""
    view = json.loads(views.view(record(aliases={"b": "2", "a": "1"})))
    states = [(entry["version"], entry["state"], entry["reason"]) for entry in view["versions"]]
    assert states == [
        ("1", "ready", ""), ("2", "ready", ""), ("3", "draining", ""), ("6", "ready", ""), ("4", "loading", ""),
        ("5", "failed", "broken"),
    ]  # fmt: skip
    assert view["versions"][3]["uri"] == "former.onnx"
    assert view["versions"][3]["replacement"] == {"uri": "6.onnx", "generation": 7, "state": "loading"}
    assert "replacement" not in view["versions"][0]
    assert (view["model"], view["epoch"], view["routes"]) == ("m", 9, {"6": 1})
    assert list(view["aliases"]) == ["a", "b"]


def test_view_of_nothing_is_empty() -> None:
    """An empty view deletes the field."""
    assert views.view(Record(model="m", sequence=4)) == ""


def test_an_output_tells_its_labels_where_it_has_any() -> None:
    """Most have none, and say nothing of them."""
    given = record()
    given.versions[0].signature.outputs.add(name="y", datatype="FP32", shape=[-1, 2], labels=["cat", "dog"])
    given.versions[0].signature.outputs.add(name="z", datatype="FP32", shape=[-1])
    assert json.loads(views.view(given))["versions"][0]["signature"]["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [-1, 2], "labels": ["cat", "dog"]},
        {"name": "z", "datatype": "FP32", "shape": [-1]},
    ]
