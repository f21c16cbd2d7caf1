"""The door for callers of Cluster Serving's gRPC front end."""

from __future__ import annotations

from typing import Any, Final

import orjson
from google.protobuf.message import Message

from scurry.gateway.access import ANY_MODEL, Access, Caller
from scurry.gateway.doors import cluster_records
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcDoor, GrpcStream
from scurry.gateway.doors.grpc_methods import GrpcMethods, Method
from scurry.gateway.doors.scopes import NOBODYS, Needed
from scurry.gateway.models import Models
from scurry.protocols import front_end_pb2 as words

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
        self._rest, self._models, self._otherwise = rest, models, otherwise
        methods: dict[str, tuple[type[Message], Method]] = {
            "Ping": (words.Empty, self._ping),
            "GetMetrics": (words.Empty, self._metrics),
            "GetAllModels": (words.Empty, self._all),
            "GetModelsWithName": (words.GetModelsWithNameReq, self._named),
            "GetModelsWithNameAndVersion": (words.GetModelsWithNameAndVersionReq, self._named),
            "Predict": (words.PredictReq, self._predict),
        }
        self._methods = GrpcMethods(SERVICE, methods, _needed, access or Access())

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message. Never raises."""
        (self._methods if call.head.path.startswith(SERVICE) else self._otherwise).begin(call, message)

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of a call that has many: none of ours has."""
        return None if call.head.path.startswith(SERVICE) else self._otherwise.stream(call)

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

    async def _predict(self, asked: words.PredictReq, call: GrpcCall, caller: Caller) -> Message:
        body, version = asked.input.encode(), asked.model_version
        texts = await self._rest.predictions(asked.model_name, version, body, call.room, tenant=caller.tenant)
        return words.PredictReply(response=orjson.dumps(texts).decode())

    def __repr__(self) -> str:
        return f"<ClusterGrpc before {self._otherwise!r}>"


def _needed(method: str, asked: Any) -> Needed:  # noqa: ANN401 - one of the messages
    model = getattr(asked, "model_name", "") or ANY_MODEL
    return Needed(NOBODYS) if method == "Ping" else Needed("infer" if method == "Predict" else "read", model)


def _listed(told_of: list[dict[str, Any]]) -> words.ModelsReply:
    reply = words.ModelsReply()
    for one in told_of:
        reply.cluster_serving_meta_datas.add(
            model_name=one["modelName"], model_version=one["modelVersion"], features=",".join(one["features"]),
            redis_input_queue=one["redisInputQueue"], redis_output_queue=one["redisOutputQueue"],
        )  # fmt: skip
    return reply
