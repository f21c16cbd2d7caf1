"""Configs that a model is loaded with."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from scurry.gateway import describe
from scurry.gateway.overrides import overridden
from scurry.wire.errors import InvalidRequest

VERSION: dict[str, Any] = {
    "version": "3", "state": "ready", "uri": "/models/m.onnx", "runtime": "onnx", "config": {"threads": 2},
    "signature": {"inputs": [], "outputs": [], "batched": True}, "max_batch_size": 8,
}  # fmt: skip


def test_what_is_named_takes_the_place_of_what_was() -> None:
    """Texts of digits are numbers where protobuf has numbers, and texts elsewhere."""
    config = {
        "max_batch_size": "16", "parameters": {"intra": {"string_value": "4"}},
        "dynamic_batching": {"preferred_batch_size": ["4"], "max_queue_delay_microseconds": "100"},
    }  # fmt: skip
    assert overridden("m", VERSION, orjson.dumps(config).decode()) == {
        "version": "3", "uri": "/models/m.onnx", "runtime": "onnx",
        "config": {
            "threads": 2, "max_batch_size": 16, "parameters": {"intra": {"string_value": "4"}},
            "dynamic_batching": {"preferred_batch_size": [4], "max_queue_delay_microseconds": 100},
        },
    }  # fmt: skip


def test_the_configuration_that_is_told_can_be_sent_back() -> None:
    """What it tells of name and runtime is no option."""
    told = describe.configuration({"versions": [VERSION]}, "m", "3")
    sent = overridden("m", VERSION, orjson.dumps(told).decode())
    assert sent["config"] == {"threads": 2, "max_batch_size": 8, "input": [], "output": []}


@pytest.mark.parametrize("config", ["{", "[]", "7", '{"name": "other"}', '"parameters": {"config": {{}}}'])
def test_what_is_no_config_is_refused(config: str) -> None:
    """In Triton's words."""
    with pytest.raises(InvalidRequest, match="failed to load 'm', its config"):
        overridden("m", VERSION, config)
