"""A config.yaml of Cluster Serving is served as it says, over REST and over its stream."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import redis
from tests.conftest import Stack
from tests.doubling import save_double

from scurry.protocols.cluster_serving_arrow import arrow

CONFIG = "modelPath: model\njobName: orders\nthreadPerModel: 1\nflinkRestUrl: localhost:8081\n"


def posted(url: str, body: object) -> Any:
    """The JSON that a POST is answered with."""
    with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=60) as answer:
        return json.load(answer)


def numbers(text: bytes) -> list[float]:
    """What the original client reads of a result."""
    import base64

    with arrow().ipc.open_stream(base64.b64decode(text)) as stream:
        return list(stream.read_next_batch().column(0).to_pylist())


def test_a_config_is_all_it_takes(tmp_path: Path) -> None:
    """The model is registered, its stream answered, its REST there; what has no effect is told."""
    (tmp_path / "model").mkdir()
    save_double(tmp_path / "model" / "model.onnx", width=2)
    (tmp_path / "config.yaml").write_text(CONFIG)
    stack = Stack(tmp_path / "up", "--workers", "1", "--cluster-serving", str(tmp_path / "config.yaml"))
    try:
        assert any("flinkRestUrl has no effect here" in line for line in stack.lines)
        told = posted(f"{stack.http_url}/models/orders/predict", {"instances": [{"x": [1, 2]}, {"x": [3]}]})
        value = json.loads(json.loads(told["predictions"][0])["value"])
        assert value == {"data": [2.0, 4.0], "shape": [2]}
        assert json.loads(told["predictions"][1]) == {"value": "NaN"}
        assert told["errors"][1]["code"] == "input_shape"
        link = redis.Redis.from_url(stack.redis_url)
        link.xadd("orders", {"uri": "first", "data": '{"instances": [{"x": [5, 6]}]}', "serde": "stream"})
        end = time.monotonic() + 30
        while not (found := link.hgetall("cluster-serving_orders:first")):
            assert time.monotonic() < end, "no answer"
            time.sleep(0.05)
        assert list(found) == [b"value"]
        assert numbers(found[b"value"]) == pytest.approx([10, 12])
        link.close()
    finally:
        assert stack.stop() == 0
