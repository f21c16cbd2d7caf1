"""Error replies: what a caller hears when no version answers."""

from __future__ import annotations

from typing import Final

from google.protobuf.message import DecodeError

from scurry.router.policy import Refusal
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_REQUEST, Reply, Request

LATE: Final = Refusal("deadline_exceeded", "The deadline passed before the request reached a worker.")
NOWHERE: Final = "!"
"""Router key of entries that name no model."""


def overloaded(version: str, outstanding: int) -> Refusal:
    """Every lane is full."""
    return Refusal("overloaded", f"Version {version} has {outstanding} requests outstanding; try again shortly.")


def reply(request: Request, model: str, refusal: Refusal, version: str = "") -> Reply:
    """The answer to a request that nobody will compute."""
    out = Reply(
        id=request.id,
        entry=request.entry,
        reply=request.reply,
        model=request.model or ("" if model == NOWHERE else model),
        version=version,
        encoding=request.encoding,
        bulk=request.bulk,
        error=refusal.code,
        message=refusal.message,
    )
    if request.HasField("keep"):
        out.keep = request.keep
    return out


def parked(request: Request) -> list[str]:
    """Redis keys under which parts of the request wait and will not be read any more."""
    keys = [request.payload] if request.payload else []
    if request.encoding == ENCODING_REQUEST and request.body:
        try:
            inputs = InferRequest.FromString(request.body).inputs
        except DecodeError:
            return keys
        keys += [tensor.payload for tensor in inputs if tensor.payload]
    return keys
