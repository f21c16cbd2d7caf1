"""What steps of sequences are counted as."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from tests.stateful import SUM, running_sum
from tests.unit.inference.toys import DictPayloads, body, call, mail, request, sent

from scurry.inference.function import Inference
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener
from scurry.wire.messages_pb2 import Done, ModelSpec


async def test_steps_count_with_their_time(tmp_path: Path) -> None:
    """How long each took since it came into the stream, and how long the worker computed, as of other requests."""
    inference = Inference(Shelf(Opener(), 1 << 30), DictPayloads(), clock=lambda: 5.0)
    spec = ModelSpec(uri=str(running_sum(tmp_path / "sum.onnx")), runtime="onnx", config=json.dumps(SUM))
    steps = [request(at, body(x=np.ones((1, 1), np.float32)), sequence_id="7") for at in range(3)]
    steps[0].sequence_start = True
    steps[2].body = body(x=np.ones((1, 2), np.float32))
    for at, each in enumerate(steps):
        each.entry = f"{4900 + at * 10}-0"
    asked = call(sent(*steps, spec=spec), key="m@1/seq/7")
    await inference.serve([asked], lambda _: None)
    ((_, _, done),) = mail(asked, Done)
    (counts,) = done.answered
    assert (counts.ok, dict(counts.errors), list(counts.waited)) == (2, {"input_shape": 1}, [100, 1, 90, 1, 80, 1])
    assert counts.busy_micros == done.busy_micros > 0
    await inference.close()
