"""The door while there is nobody behind it."""

from __future__ import annotations

import orjson
import pytest

from scurry.gateway.doors.closed import Closed
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.heads import Head
from scurry.gateway.limits import Admission
from scurry.wire.errors import Unavailable


@pytest.mark.parametrize(
    ("target", "status", "said"),
    [
        ("/v2/health/live", 200, {"live": True}),
        ("/v2/health/ready/?x", 503, {"ready": False, "gateway": "Wait."}),
        ("/v2/models/m/infer", 503, {"error": "Wait.", "code": "unavailable"}),
    ],
)
async def test_everybody_is_told_why(target: str, status: int, said: object) -> None:
    """A probe hears that we live."""
    with Admission(1).room() as room:
        reply = await answered(Closed(Unavailable("unavailable", "Wait.")), Head("GET", target, {}, 0, True), b"", room)
    assert (reply.status, orjson.loads(reply.parts[0])) == (status, said)
