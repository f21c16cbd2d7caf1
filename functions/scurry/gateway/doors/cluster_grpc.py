"""The door for callers of Cluster Serving's gRPC front end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson
from google.protobuf.message import DecodeError, Message

from scurry.gateway.access import ANY_MODEL, ANYBODY, Access, Caller
from scurry.gateway.ask import told
from scurry.gateway.doors import cluster_records
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcDoor, GrpcStream
from scurry.gateway.limits import Room
from scurry.gateway.models import Models
from scurry.protocols import front_end_pb2 as words
from scurry.wire.errors import InvalidRequest

SERVICE: Final = "/grpc.FrontEndGRPCService/"
WELCOME: Final = "welcome to scurry's grpc serving frontend"
TIMERS: Final = {
    "_75thPercentile": "percentile_75th", "_95thPercentile": "percentile_95th", "_98thPercentile": "percentile_98th",
    "_99thPercentile": "percentile_99th", "_999thPercentile": "percentile_999th", "stdDev": "std_dev",
    "meanRate": "mean_rate",
}  # fmt: skip


class ClusterGrpc:
    """Answers its calls, and shows those of other services to the door that has them."""

    def __init__(self, rest: ClusterServing, models: Models, otherwise: GrpcDoor, access: Access | None = None) -> None:
        self._rest, self._models, self._otherwise, self._access = rest, models, otherwise, access or Access()
        self._methods: dict[str, tuple[type[Message], Callable[[Any, Room, Caller], Awaitable[Message]]]] = {
            "Ping": (words.Empty, self._ping),
            "GetMetrics": (words.Empty, self._metrics),
            "GetAllModels": (words.Empty, self._all),
            "GetModelsWithName": (words.GetModelsWithNameReq, self._named),
            "GetModelsWithNameAndVersion": (words.GetModelsWithNameAndVersionReq, self._named),
            "Predict": (words.PredictReq, self._predict),
        }
        self._tasks: set[asyncio.Task[None]] = set()

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message. Never raises."""
        if not call.head.path.startswith(SERVICE):
            self._otherwise.begin(call, message)
            return
        task = asyncio.get_running_loop().create_task(self._answer(call, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of a call that has many: none of ours has."""
        return None if call.head.path.startswith(SERVICE) else self._otherwise.stream(call)

    async def _answer(self, call: GrpcCall, message: bytes) -> None:
        name = call.head.path[len(SERVICE) :]
        found = self._methods.get(name)
        if found is None:
            sentence = f"There is no method {call.head.path[:128]!r}; there are {', '.join(self._methods)}."
            call.refuse(InvalidRequest("bad_request", sentence), code="UNIMPLEMENTED")
            return
        kind, method = found
        try:
            asked: Any = kind.FromString(message)
            scope = "infer" if name == "Predict" else "read"
            model = getattr(asked, "model_name", "") or ANY_MODEL
            caller = ANYBODY if name == "Ping" else self._access.check(call.head.metadata, scope, model)
            answer = await method(asked, call.room, caller)
        except DecodeError:
            call.refuse(InvalidRequest("bad_request", f"The message is no {kind.DESCRIPTOR.name}."))
        except Exception as cause:
            call.refuse(told(cause))
        else:
            call.answer((answer.SerializeToString(),))

    async def _ping(self, *_: object) -> Message:
        return words.StringReply(message=WELCOME)

    async def _metrics(self, *_: object) -> Message:
        timers = cluster_records.timers(await self._models.records())
        told_of = [{TIMERS.get(name, name): value for name, value in one.items()} for one in timers]
        return words.MetricsReply(metrics=[words.Metric(**one) for one in told_of])

    async def _all(self, *_: object) -> Message:
        records = await self._models.records()
        return _listed([each for name in sorted(records) for each in cluster_records.described(records[name], name)])

    async def _named(self, asked: Any, *_: object) -> Message:  # noqa: ANN401 - one of two messages
        record = await self._models.record(asked.model_name)
        version = getattr(asked, "model_version", "")
        return _listed(cluster_records.described(record, asked.model_name, version))

    async def _predict(self, asked: words.PredictReq, room: Room, caller: Caller) -> Message:
        body, version = asked.input.encode(), asked.model_version
        texts = await self._rest.predictions(asked.model_name, version, body, room, tenant=caller.tenant)
        return words.PredictReply(response=orjson.dumps(texts).decode())

    def __repr__(self) -> str:
        return f"<ClusterGrpc before {self._otherwise!r}>"


def _listed(told_of: list[dict[str, Any]]) -> words.ModelsReply:
    reply = words.ModelsReply()
    for one in told_of:
        reply.cluster_serving_meta_datas.add(
            model_name=one["modelName"], model_version=one["modelVersion"], features=",".join(one["features"]),
            redis_input_queue=one["redisInputQueue"], redis_output_queue=one["redisOutputQueue"],
        )  # fmt: skip
    return reply
