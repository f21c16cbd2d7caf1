"""Configs of models that are made of others."""

from __future__ import annotations

import json
from typing import Any

import pytest

from scurry.runtimes.catalog import Opener
from scurry.runtimes.ensemble import EnsembleRuntime, graph_of
from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import GraphStep, ModelSpec

IMAGE, LABEL = Port("image", "FP32", (-1, 2)), Port("label", "FP32", (-1, 2))
FIRST = {"model_name": "a", "model_version": -1, "input_map": {"x": "image"}, "output_map": {"y": "mid"}}
SECOND = {"model_name": "b", "model_version": 3, "input_map": {"x": "mid"}, "output_map": {"y": "label"}}
PBTXT = """
platform: "ensemble"
max_batch_size: 8
input [ { name: "image" data_type: TYPE_FP32 dims: [ 2 ] } ]
output [ { name: "label" data_type: TYPE_STRING dims: [ 1 ] } ]
ensemble_scheduling {
  step [
    { model_name: "a" model_version: -1 input_map { key: "x" value: "image" } output_map { key: "y" value: "mid" } },
    { model_name: "b" model_version: 3 input_map { key: "x" value: "mid" } output_map { key: "y" value: "label" } }
  ]
}
"""


def steps(*stated: object) -> dict[str, Any]:
    """A config with these."""
    return {"step": list(stated)}


def test_steps_are_read_as_triton_writes_them() -> None:
    """In any order in which each can be asked at some time; -1 is the model's own choice."""
    graph = graph_of(steps(SECOND, FIRST), [IMAGE], [LABEL])
    assert list(graph.steps) == [
        GraphStep(model="b", version="3", inputs={"x": "mid"}, outputs={"y": "label"}),
        GraphStep(model="a", inputs={"x": "image"}, outputs={"y": "mid"}),
    ]
    assert list(graph.outputs) == ["label"]


@pytest.mark.parametrize(
    ("scheduling", "sentence"),
    [
        ({}, "must be a list of 1 to 64 steps"),
        (steps(), "must be a list of 1 to 64 steps"),
        (steps("a"), r"step\[0\] must be an object"),
        (steps(FIRST | {"models": 1}), r"step\[0\] must be an object with input_map, model_name"),
        (steps(FIRST | {"model_name": "a/b"}), "'a/b' is no name"),
        (steps(FIRST | {"model_version": "@"}), "'@' is no version"),
        (steps(FIRST | {"input_map": {}}), r"step\[0\]: input_map must map"),
        (steps(FIRST | {"output_map": {"y": 1}}), r"step\[0\]: output_map must map"),
        (steps(FIRST, FIRST), r"step\[1\] gives 'mid', which comes from elsewhere too"),
        (steps(FIRST | {"output_map": {"y": "image"}}), "'image', which comes from elsewhere"),
        (steps(SECOND), r"step\[0\] takes tensor 'mid', which nothing gives before it"),
        (steps(FIRST | {"input_map": {"x": "label"}}, SECOND), r"step\[0\] takes tensor 'label'"),
        (steps(FIRST), "Nothing gives output 'label' of the config; there are image, mid"),
    ],
)
def test_what_can_never_be_answered_is_refused(scheduling: dict[str, Any], sentence: str) -> None:
    """When it is registered: a circle, a tensor from nowhere, one from two places."""
    with pytest.raises(Failed, match=sentence) as caught:
        graph_of(scheduling, [IMAGE], [LABEL])
    assert caught.value.code == "load_failed"


def test_a_triton_repository_holds_it_without_a_file(tmp_path) -> None:
    """The directory of the version is empty; the config above says all, and who opens it."""
    (tmp_path / "both" / "1").mkdir(parents=True)
    (tmp_path / "both" / "config.pbtxt").write_text(PBTXT)
    opener = Opener()
    subject = opener.find("both", "1", ModelSpec(uri=str(tmp_path)))
    opened = opener.open(subject, "")
    assert isinstance(opened, EnsembleRuntime)
    assert (opened.inputs, opened.outputs) == (
        (Port("image", "FP32", (-1, 2)),),
        (Port("label", "BYTES", (-1, 1)),),
    )
    assert [step.model for step in opened.graph.steps] == ["a", "b"]
    before = subject.fingerprint
    (tmp_path / "both" / "config.pbtxt").write_text(PBTXT.replace('"b"', '"c"'))
    assert opener.find("both", "1", ModelSpec(uri=str(tmp_path))).fingerprint != before


def test_what_is_registered_with_its_config_needs_no_file() -> None:
    """Nor a directory."""
    config = {
        "input": [{"name": "image", "data_type": "TYPE_FP32", "dims": [-1, 2]}],
        "output": [{"name": "label", "data_type": "TYPE_FP32", "dims": [-1, 2]}],
        "ensemble_scheduling": steps(FIRST, SECOND),
    }
    opener = Opener()
    opened = opener.open(opener.find("g", "1", ModelSpec(uri="ensemble:", runtime="ensemble")), json.dumps(config))
    assert (opened.inputs, opened.outputs) == ((IMAGE,), (LABEL,))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"input": []}, "states its `input` and its `output`"),
        ({"input": [{"data_type": "TYPE_FP32", "dims": [2]}]}, "An entry of 'input' in the config has no 'name'"),
        ({"input": [{"name": "image", "data_type": "TYPE_FP33", "dims": [2]}]},
         "'data_type' of 'image' in the config must be one of"),
        ({"output": [{"name": "label", "data_type": "TYPE_FP32"}]},
         "'dims' of 'label' in the config must be a list of sizes"),
        ({"ensemble_scheduling": []}, "ensemble_scheduling.step must be a list"),
    ],
)  # fmt: skip
def test_a_signature_is_stated(change: dict[str, Any], sentence: str) -> None:
    """There is nothing else that could tell it."""
    config: dict[str, Any] = {
        "input": [{"name": "image", "data_type": "TYPE_FP32", "dims": [2]}],
        "output": [{"name": "label", "data_type": "TYPE_FP32", "dims": [2]}],
        "ensemble_scheduling": steps(FIRST, SECOND),
    }
    opener = Opener()
    subject = opener.find("g", "1", ModelSpec(uri="ensemble:", runtime="ensemble"))
    with pytest.raises(Failed, match=sentence):
        opener.open(subject, json.dumps(config | change))


def test_other_models_have_no_steps(tmp_path) -> None:
    """A config with steps beside a model of another kind is refused: it would answer something else."""
    with pytest.raises(Failed, match="holds no config"):
        Opener().find("g", "1", ModelSpec(uri=str(tmp_path), runtime="ensemble"))
