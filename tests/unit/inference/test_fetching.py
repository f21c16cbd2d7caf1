"""Parked bodies and tensors of a batch."""

from __future__ import annotations

from tests.unit.inference.toys import DictPayloads, Toy, body, request, row

from scurry.inference.fetching import fetch
from scurry.inference.items import claim
from scurry.inference.layouts import LayoutCache
from scurry.wire.infer_pb2 import InferRequest, Tensor
from scurry.wire.names import Keys

KEYS = Keys("ns")
DATA = row(1, 2).tobytes()


def parked_body(payloads: DictPayloads):
    """An item whose body is parked, and in it a parked tensor."""
    inner = InferRequest(inputs=[Tensor(name="x", datatype="FP32", shape=(1, 2), payload="ns:payload:r0:in:x")])
    payloads.parked = {"ns:payload:r0:in:body": inner.SerializeToString(), "ns:payload:r0:in:x": DATA}
    layouts = LayoutCache(Toy())
    return claim([request(0, b"", payload="ns:payload:r0:in:body")], layouts, KEYS), layouts


async def test_a_parked_body_may_refer_to_parked_tensors():
    """Both are brought, one after the other."""
    payloads = DictPayloads()
    (item,), layouts = parked_body(payloads)
    assert await fetch(payloads, [item], layouts, KEYS)
    assert (item.failure, [bytes(each) for each in item.data]) == (None, [DATA])
    assert len(payloads.fetches) == 2


async def test_only_bodies_are_brought_where_nobody_computes():
    """The tensor stays where it is, and is known by its key."""
    payloads = DictPayloads()
    (item,), layouts = parked_body(payloads)
    assert await fetch(payloads, [item], layouts, KEYS, bodies=True)
    assert item.needs == [(0, "ns:payload:r0:in:x")]
    assert payloads.fetches == [["ns:payload:r0:in:body"]]


async def test_what_brings_everything_needs_nothing():
    """No round trip; and one that fails is the failure of those that wait."""
    payloads = DictPayloads()
    layouts = LayoutCache(Toy())
    whole = claim([request(1, body(x=row(1, 2)))], layouts, KEYS)
    assert not await fetch(payloads, whole, layouts, KEYS)
    payloads.away = True
    (item,), layouts = parked_body(payloads)
    await fetch(payloads, [item, *whole], layouts, KEYS)
    assert (item.failure is not None, whole[0].failure) == (True, None)
