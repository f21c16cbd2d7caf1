"""ModelStreamInfer: requests in one stream, answers as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.limits import Room
from scurry.protocols.oip_pb2 import ModelInferResponse, ModelStreamInferResponse
from scurry.wire.errors import ScurryError, error
from scurry.wire.limits import shortened
from scurry.wire.tensors import varint

ANSWER_TAG: Final = b"\x12"
"""What stands before the length of `ModelStreamInferResponse.infer_response`."""


class InferStream:
    """One stream. A request that fails is told in its answer; the stream goes on."""

    def __init__(self, inference: GrpcInference, call: GrpcCall) -> None:
        self._inference, self._call = inference, call
        self._waiting = 0
        self._ended = False

    def message(self, data: bytes, room: Room) -> None:
        """Ask one request."""
        self._waiting += 1

        def done(parts: Sequence[bytes]) -> None:
            size = sum(map(len, parts))
            self._answer((ANSWER_TAG + varint(size), *parts), room)

        def failed(cause: ScurryError, echo: str) -> None:
            about = ModelInferResponse(id=echo)
            told = ModelStreamInferResponse(error_message=shortened(cause.message), infer_response=about)
            self._answer((told.SerializeToString(),), room)

        if self._ended:
            failed(error("unavailable", "The gateway stops: open the stream again."), "")
        else:
            self._inference.begin(self._call.head, data, room, done, failed, final=True)

    def end(self) -> None:
        """Close behind what is being answered."""
        self._ended = True
        if not self._waiting:
            self._call.finish()

    def _answer(self, parts: Sequence[bytes], room: Room) -> None:
        self._waiting -= 1
        room.give_back_all()
        self._call.send(parts)
        self._call.answered()
        if self._ended and not self._waiting:
            self._call.finish()

    def __repr__(self) -> str:
        return f"<InferStream {self._waiting} waiting{', ended' if self._ended else ''}>"
