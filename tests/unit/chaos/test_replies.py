"""Replies as a caller reads them."""

from __future__ import annotations

import time

import pytest
from tests.chaos.claims import EXPIRED
from tests.chaos.mix import Numbers
from tests.chaos.replies import PARKED_S, WRITTEN, Decoder

from scurry.wire.infer_pb2 import InferReply, Tensor


class Forgetful:
    """A Redis that has nothing."""

    def get(self, key: str) -> None:
        """Nothing."""


@pytest.mark.parametrize(("age", "error"), [(0.0, ""), (PARKED_S + 5, EXPIRED)])
def test_a_parked_output_that_is_gone_is_a_wrong_answer_unless_it_was_read_late(age: float, error: str) -> None:
    """Outputs go a minute after their result: after long outages replies are read later than that."""
    numbers = Numbers("run")
    decoder = Decoder("redis://127.0.0.1:1/0", numbers)
    decoder._redis = Forgetful()  # type: ignore[assignment]
    tensor = Tensor(name="y", datatype="FP32", shape=[1, 4096], payload="scurry:payload:x:out:1:y")
    fields = {
        b"id": numbers.id(3).encode(),
        b"status": b"ok",
        b"version": b"1",
        b"reply": InferReply(outputs=[tensor]).SerializeToString(),
        WRITTEN: str(int((time.time() - age) * 1000)).encode(),
    }
    seen = decoder.seen(fields, 1.0)
    assert (seen.number, seen.error, seen.y) == (3, error, None)
