"""ModelStreamInfer: requests in one stream, answers as they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from scurry.gateway.doors.grpc_call import GrpcCall
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_streamed import Streamed
from scurry.gateway.limits import Room
from scurry.gateway.status import status_of
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
        asking = _StreamedInfer(self, self._call, room)
        if self._ended:
            asking.refuse(error("unavailable", "The gateway stops: open the stream again."))
        else:
            self._inference.begin(asking, data, final=True)

    def end(self) -> None:
        """Close behind what is being answered."""
        self._ended = True
        if not self._waiting:
            self._call.finish()

    def stop(self) -> None:
        """Likewise."""
        self.end()

    def answered(self) -> None:
        """One request is."""
        self._waiting -= 1
        if self._ended and not self._waiting:
            self._call.finish()

    def __repr__(self) -> str:
        return f"<InferStream {self._waiting} waiting{', ended' if self._ended else ''}>"


class _StreamedInfer(Streamed):
    """One request of a stream."""

    __slots__ = ("_stream",)

    def __init__(self, stream: InferStream, call: GrpcCall, room: Room) -> None:
        super().__init__(call, room)
        self._stream = stream

    def refuse(self, cause: ScurryError, echo: str = "") -> None:
        """Why there is no answer, in an answer."""
        about = ModelInferResponse(id=echo)
        told = ModelStreamInferResponse(error_message=shortened(cause.message), infer_response=about)
        super().end(status_of(cause.code).grpc, cause.code, (told.SerializeToString(),))
        self._stream.answered()

    def answer(self, parts: Sequence[bytes]) -> None:
        """The answer, as it stands in one of a stream."""
        super().end("OK", "ok", (ANSWER_TAG + varint(sum(map(len, parts))), *parts))
        self._stream.answered()
