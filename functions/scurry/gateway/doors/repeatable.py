"""Calls that are the same bytes when they are the same.

Whichever door a request comes through, the same tensors, parameters and outputs for the same model are the same call,
which is what a key is held to.
"""

from __future__ import annotations

from typing import NamedTuple

from scurry.client.bodies import digest_of, park
from scurry.gateway.ask import InferCall
from scurry.gateway.results import Results
from scurry.wire.infer_pb2 import InferRequest


class Beside(NamedTuple):
    """What is told beside a request; none of it makes it another."""

    sticky: str = ""
    traceparent: str = ""
    tenant: str = ""
    timeout_us: int = 0
    priority: int = 0


async def call_of(
    results: Results, model: str, version: str, request: InferRequest, beside: Beside, *, key: str, scope: str
) -> InferCall:
    """What is asked for a request; its id comes of the key, without one nobody can guess it. Raises `ScurryError`."""
    request_id, keys = await results.id_for(key, scope), results.keys
    light, parked = park(request, lambda name, data: keys.payload_in(request_id, name, digest_of(data)))
    return InferCall(
        model, request_id, light.SerializeToString(deterministic=True), parked, version, beside.sticky,
        beside.traceparent, beside.timeout_us, beside.priority, beside.tenant,
    )  # fmt: skip
