"""The door at which the contract is read."""

from __future__ import annotations

import orjson
import pytest

from scurry.gateway import contract
from scurry.gateway.doors.contract import Contract
from scurry.gateway.doors.entrance import answered
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply
from scurry.gateway.limits import Admission


async def get(target: str, method: str = "GET") -> HttpReply:
    """The response to one request."""
    with Admission(1 << 20).room() as room:
        return await answered(Contract(), Head(method, target, {}, 0, True), b"", room)


async def test_the_document() -> None:
    """As JSON."""
    reply = await get("/openapi.json")
    assert (reply.status, reply.parts) == (200, [contract.openapi()])
    assert b"Content-Type: application/json" in reply.head


async def test_proto_files() -> None:
    """Their list, and each as text; a client may escape its slashes."""
    reply = await get("/v2/protos/")
    assert orjson.loads(reply.parts[0]) == {"protos": list(contract.PROTOS)}
    for target in ("/v2/protos/scurry/wire/infer.proto", "/v2/protos/scurry%2Fwire%2Finfer.proto?x"):
        reply = await get(target)
        assert b"Content-Type: text/plain; charset=utf-8" in reply.head
        assert reply.parts[0].startswith(b"// What a caller asks")


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("GET", "/v2/protos/../../../etc/passwd", 404), ("GET", "/v2/protos/scurry/wire/messages.proto", 404),
     ("POST", "/v2/protos", 405), ("DELETE", "/openapi.json", 405), ("POST", "/v2/protos/x", 404)],
)  # fmt: skip
async def test_what_there_is_not(method: str, target: str, status: int) -> None:
    """Only what is named is read."""
    reply = await get(target, method)
    assert reply.status == status
    assert (b"Allow: GET, HEAD" in reply.head) == (status == 405)
    assert repr(Contract()) == "<Contract>"
