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
from scurry.gateway.doors import forms, tf_records
from scurry.gateway.doors.background import Background
from scurry.gateway.doors.callers import Headers, said_in
from scurry.gateway.doors.deferred import Deferred, Wanted
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.refusals import refused
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply
from scurry.gateway.doors.tf_paths import ASKING, TfOperation, tf_operation_of
from scurry.gateway.doors.wishes import NO_RESULTS, refuse_wishes, wishes_more
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.protocols import tf_serving
from scurry.protocols.tf_serving import PredictCall, Taken
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.infer_pb2 import InferRequest

T = TypeVar("T")

PREFIXES: Final = ("/", "/v1")
"""What of the entrance is this door's: KServe v1 asks the root whether the server is alive."""


class TensorFlowServing:
    """Answers requests of TensorFlow Serving's REST."""

    def __init__(self, ask: Ask, models: Models, deferred: Deferred | None = None) -> None:
        self._ask = ask
        self._deferred = deferred
        self._models = models
        self._background = Background()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            operation = tf_operation_of(head.method, head.target)
            if operation.name not in ASKING:
                self._background.answer(self._tell(operation), done)
            elif not wishes_more(head):
                self._background.answer(self._infer(operation, head.headers, body, room), done)
            elif self._deferred is not None:
                self._deferred.begin(operation, head, partial(self._read, operation, body, room), done)
            else:
                refuse_wishes(head.headers, NO_RESULTS)
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
        wanted = await self._read(operation, body, room)
        answer = await self._answer(operation, wanted.request, headers)
        encode = partial(forms.predictions, wanted.form, answer.reply)
        return binary_reply(await self._background.write(answer.reply.ByteSize(), encode), [])

    async def _read(self, operation: TfOperation, body: bytes, room: Room) -> Wanted:
        """What a body asks for: one inference, however many rows it has. Raises `ScurryError`."""
        if operation.name == "explain":
            raise InvalidRequest("bad_request", "Models are not explained here; :predict is what they answer.")
        taken = await self._told(operation, tf_records.taken)
        call = await self._background.parse(body, len(body), room, partial(_decoded, operation.name, body, taken))
        return Wanted(call.request, forms.tensorflow(operation.name, rows=call.rows))

    async def _answer(self, operation: TfOperation, request: InferRequest, headers: Headers) -> Answer:
        request_id = self._ask.new_id()
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
