"""Calls that are the same bytes whenever they are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.gateway import later

from scurry.gateway.doors.repeatable import Beside, call_of
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.names import CLAIM_CHECK_BYTES

if TYPE_CHECKING:
    from scurry.gateway.results import Results

redis, job, client, results = later.redis, later.job, later.client, later.results


def request(fill: int = 0, *, backwards: bool = False) -> InferRequest:
    """One with a large tensor and several parameters."""
    size = CLAIM_CHECK_BYTES + 1
    made = InferRequest(inputs=[Tensor(name="x", datatype="INT8", shape=[size], data=bytes([fill]) * size)])
    for name in sorted("abcdefgh", reverse=backwards):
        made.parameters[name].int_value = 1
    return made


async def test_the_same_is_the_same_bytes(results: Results) -> None:
    """In whichever order its parameters came; large tensors are told by a digest of theirs."""
    beside = Beside("s", "00-t", "blue", 5, 2)
    one = await call_of(results, "m", "1", request(), beside, key="k", scope="a")
    other = await call_of(results, "m", "1", request(backwards=True), Beside(), key="k", scope="a")
    assert (one.id, one.body) == (other.id, other.body)
    assert [key for key, _ in one.parked] == [key for key, _ in other.parked]
    assert (one.key, one.traceparent, one.tenant, one.timeout_us, one.priority) == ("s", "00-t", "blue", 5, 2)
    changed = await call_of(results, "m", "1", request(1), beside, key="k", scope="a")
    assert changed.id == one.id
    assert changed.body != one.body


async def test_ids_come_of_key_and_scope(results: Results) -> None:
    """Without a key each has its own."""
    ids = [
        (await call_of(results, "m", "", request(), Beside(), key=key, scope=scope)).id
        for key, scope in (("k", "a"), ("k", "b"), ("l", "a"), ("", "a"), ("", "a"))
    ]
    assert len(set(ids)) == 5
