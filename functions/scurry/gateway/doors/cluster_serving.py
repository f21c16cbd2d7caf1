"""The door for callers of Cluster Serving's REST.

It knows HTTP's words, not its sockets: it takes a method, path, headers and body and gives back an `HttpReply`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Final

from scurry.client.answers import Answer
from scurry.client.bodies import park
from scurry.gateway.ask import Ask, InferCall, check_names, told
from scurry.gateway.describe import version_of
from scurry.gateway.doors import cluster_records
from scurry.gateway.doors.background import Background
from scurry.gateway.doors.callers import TENANT, Headers, said_in
from scurry.gateway.doors.cluster_paths import PREFIXES, ClusterOperation, cluster_operation_of
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.refusals import refused
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.doors.wishes import refuse_wishes
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.protocols import cluster_serving_rest as codec
from scurry.protocols.cluster_serving_rest import Instance
from scurry.wire.errors import InvalidRequest, ScurryError
from scurry.wire.infer_pb2 import InferRequest

__all__ = ["PREFIXES", "ClusterServing"]

MOST_INSTANCES: Final = 1024
"""In one body: each is a request of its own."""
EACH_ITS_OWN: Final = "each instance is a request of its own; /v2 and /v1 have it."
"""Why no wish is honoured here: it would be for many results."""
Made = Callable[[], Instance]
Asking = Callable[[InferRequest], Awaitable[Answer]]
Outcome = tuple[Answer, bool] | ScurryError
"""An answer, and whether a batch dimension was put before what was asked; or why there is none."""


class ClusterServing:
    """Answers requests of Cluster Serving's REST, in one form of answers unless a caller names another."""

    def __init__(self, ask: Ask, models: Models, form: str = "v0.10") -> None:
        self._ask, self._models, self._form = ask, models, form
        self._background = Background()

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            operation = cluster_operation_of(head.method, head.target)
            predicts = operation.name == "predict"
            if predicts and head.wishes:
                refuse_wishes(head.headers, EACH_ITS_OWN)
            work = self._predict(operation, head.headers, body, room) if predicts else self._tell(operation)
            self._background.answer(work, done)
        except Exception as cause:
            done(refused(cause, head.target))

    async def _tell(self, operation: ClusterOperation) -> HttpReply:
        """Everything but predictions."""
        if operation.name == "secure":
            raise InvalidRequest("bad_request", "Encrypted models are not opened here: register them decrypted.")
        if operation.name == "model":
            record = await self._models.record(operation.model)
            told_of = cluster_records.described(record, operation.model, operation.version)
            return json_reply(told_of[0] if operation.version else told_of)
        records = await self._models.records()
        if operation.name == "metrics":
            return json_reply(cluster_records.timers(records))
        models = [cluster_records.described(one, name) for name, one in sorted(records.items()) if one.get("versions")]
        return json_reply([each for versions in models for each in versions])

    async def _predict(self, operation: ClusterOperation, headers: Headers, body: bytes, room: Room) -> HttpReply:
        model = operation.model or cluster_records.model_of(await self._models.records())
        outcomes = await self._outcomes(model, operation.version, headers, body, room)
        form = operation.form or self._form
        return await self._background.write(_size(outcomes), lambda: json_reply(_written(outcomes, form)))

    async def predictions(self, model: str, version: str, body: bytes, room: Room, *, tenant: str = "") -> list[str]:
        """The texts alone, for the gRPC front end. Raises `ScurryError`."""
        check_names(model, version)
        outcomes = await self._outcomes(model, version, {TENANT: tenant}, body, room)
        document = await self._background.write(_size(outcomes), lambda: _written(outcomes, self._form))
        texts: list[str] = document["predictions"]
        return texts

    async def _outcomes(
        self, model: str, version: str, headers: Headers, body: bytes, room: Room
    ) -> Sequence[Outcome]:
        """What becomes of each instance. Raises `ScurryError` if none has an answer."""
        one = version_of(await self._models.record(model), model, version)
        ports = codec.ports_of(one.get("signature") or {})
        made = await self._background.parse(body, len(body), room, lambda: codec.decode(body, ports))
        if len(made) > MOST_INSTANCES:
            sentence = f"There are {len(made)} instances; at most {MOST_INSTANCES} may be in one body."
            raise InvalidRequest("too_large", sentence)
        ask = self._asked(model, version, headers)
        outcomes = await asyncio.gather(*(self._outcome(each, ask) for each in made))
        failures = [each for each in outcomes if isinstance(each, ScurryError)]
        if len(failures) == len(outcomes):
            raise failures[0]
        return outcomes

    async def _outcome(self, made: Made, ask: Asking) -> Outcome:
        try:
            instance = made()
            self._ask.take(instance.request)
            return await ask(instance.request), instance.added
        except Exception as cause:
            return told(cause)

    def _asked(self, model: str, version: str, headers: Headers) -> Asking:
        key, traceparent, tenant = said_in(headers)

        async def ask(request: InferRequest) -> Answer:
            request_id = self._ask.new_id()
            light, parked = park(request, lambda name, _: self._ask.payload_key(request_id, name))
            message = light.SerializeToString()
            call = InferCall(model, request_id, message, parked, version, key, traceparent, tenant=tenant)
            return await self._ask.read(await self._ask.submit(call))

        return ask

    def __repr__(self) -> str:
        return f"<ClusterServing {self._form}, {self._ask!r}>"


def _size(outcomes: Sequence[Outcome]) -> int:
    return sum(each[0].reply.ByteSize() for each in outcomes if not isinstance(each, ScurryError))


def _written(outcomes: Sequence[Outcome], form: str) -> dict[str, Any]:
    """The texts; beside those that are missing stands why, which the original told nobody."""
    texts: list[str] = []
    errors: list[dict[str, str] | None] = []
    for each in outcomes:
        failure = each if isinstance(each, ScurryError) else None
        if not isinstance(each, ScurryError):
            try:
                texts.append(codec.FORMS[form](each[0].reply, added=each[1]))
            except ScurryError as cause:
                failure = cause
        if failure is not None:
            texts.append(codec.MISSING[form])
        errors.append({"code": failure.code, "message": failure.message} if failure is not None else None)
    document: dict[str, Any] = {"predictions": texts}
    if any(errors):
        document["errors"] = errors
    return document
