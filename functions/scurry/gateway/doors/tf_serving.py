"""The door for callers of TensorFlow Serving's REST, and of KServe v1.

It knows HTTP's words, not its sockets: it takes a method, path, headers and body and gives back an `HttpReply`.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final, TypeVar

from scurry.client.answers import Answer
from scurry.client.bodies import park
from scurry.gateway.ask import Ask, InferCall
from scurry.gateway.describe import Record
from scurry.gateway.doors import tf_records
from scurry.gateway.doors.background import Background
from scurry.gateway.doors.callers import Headers, said_in
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.refusals import refused
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply
from scurry.gateway.doors.tf_paths import ASKING, TfOperation, tf_operation_of
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.protocols import tf_serving, tf_serving_replies
from scurry.protocols.tf_serving import PredictCall, Taken
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.infer_pb2 import InferReply

T = TypeVar("T")

PREFIXES: Final = ("/", "/v1")
"""What of the entrance is this door's: KServe v1 asks the root whether the server is alive."""


class TensorFlowServing:
    """Answers requests of TensorFlow Serving's REST."""

    def __init__(self, ask: Ask, models: Models) -> None:
        self._ask = ask
        self._models = models
        self._background = Background()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            operation = tf_operation_of(head.method, head.target)
            if operation.name in ASKING:
                work = self._infer(operation, head.headers, body, room)
            else:
                work = self._tell(operation)
            self._background.answer(work, done)
        except Exception as cause:
            done(refused(cause, head.target))

    async def _tell(self, operation: TfOperation) -> HttpReply:
        """Everything but inference."""
        if operation.name == "alive":
            return json_reply({"status": "alive"})
        if operation.name == "list":
            return json_reply({"models": sorted(await self._models.records())})
        tell = tf_records.metadata if operation.name == "metadata" else tf_records.status
        return json_reply(await self._told(operation, tell))

    async def _infer(self, operation: TfOperation, headers: Headers, body: bytes, room: Room) -> HttpReply:
        if operation.name == "explain":
            raise InvalidRequest("bad_request", "Models are not explained here; :predict is what they answer.")
        taken = await self._told(operation, tf_records.taken)
        call = await self._background.parse(body, len(body), room, partial(_decoded, operation.name, body, taken))
        answer = await self._answer(operation, call, headers)
        encode = partial(_encoded, operation.name, answer.reply, rows=call.rows)
        return binary_reply(await self._background.write(answer.reply.ByteSize(), encode), [])

    async def _answer(self, operation: TfOperation, call: PredictCall, headers: Headers) -> Answer:
        request, request_id = call.request, self._ask.new_id()
        timeout_us, priority = self._ask.take(request)
        light, parked = park(request, lambda name, _: self._ask.payload_key(request_id, name))
        key, traceparent, tenant = said_in(headers)
        fields = await self._ask.submit(
            InferCall(
                operation.model, request_id, light.SerializeToString(), parked, operation.version, key, traceparent,
                timeout_us, priority, tenant,
            )
        )  # fmt: skip
        return await self._ask.read(fields)

    async def _told(self, operation: TfOperation, tell: Callable[[Record, TfOperation], T]) -> T:
        """What the model's record says; a version or label that is not in it may have come just now."""
        record = await self._models.record(operation.model)
        try:
            return tell(record, operation)
        except NotFound:
            return tell(await self._models.record(operation.model, fresh=True), operation)

    def __repr__(self) -> str:
        return f"<TensorFlowServing {self._ask!r}>"


def _decoded(verb: str, body: bytes, taken: Taken) -> PredictCall:
    if verb == "predict":
        return tf_serving.decode_predict(body, taken)
    return PredictCall(tf_serving.decode_examples(body, taken), rows=True)


def _encoded(verb: str, reply: InferReply, *, rows: bool) -> bytes:
    if verb == "predict":
        return tf_serving_replies.encode_predictions(reply, rows=rows)
    return (tf_serving_replies.encode_classes if verb == "classify" else tf_serving_replies.encode_values)(reply)
