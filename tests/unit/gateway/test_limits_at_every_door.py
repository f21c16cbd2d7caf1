"""What one request may hold, and how many one key may have, at every door alike."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from tests.unit.gateway import later
from tests.unit.gateway.conftest import FakeClient
from tests.unit.gateway.doors.line import Line, door_of

from scurry.gateway.access import Access
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.callbacks import Callbacks
from scurry.gateway.doors.cluster_grpc import SERVICE, ClusterGrpc
from scurry.gateway.doors.cluster_serving import ClusterServing
from scurry.gateway.doors.deferred import Deferred
from scurry.gateway.doors.entrance import Entrance, answered
from scurry.gateway.doors.grpc import SERVICE as INFERENCE
from scurry.gateway.doors.grpc_entrance import GrpcEntrance
from scurry.gateway.doors.heads import Head, has_wishes
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.tf_serving import TensorFlowServing
from scurry.gateway.health import Health
from scurry.gateway.limits import Admission, TensorLimits
from scurry.gateway.models import Models
from scurry.gateway.results import Results
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols import front_end_pb2 as words
from scurry.protocols.oip_pb2 import ModelInferRequest, ModelStreamInferResponse

if TYPE_CHECKING:
    from tests.unit.gateway.later import Job

    from scurry.client.client import Client

redis, job, client_of_redis = later.redis, later.job, later.client
BYTES = TensorLimits(max_tensor_bytes=16)
ROWS = TensorLimits(max_rows=2)
FITS, TOO_MUCH = [[1.0, 2.0], [3.0, 4.0]], [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
TARGETS = ("/v2/models/m/infer", "/v1/models/m:predict")
JSON = {"Content-Type": "application/json"}


def flat(rows: list[list[float]]) -> bytes:
    """As they lie in memory."""
    return b"".join(struct.pack("<2f", *row) for row in rows)


def v2(rows: list[list[float]]) -> bytes:
    """As JSON."""
    return orjson.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [len(rows), 2], "data": rows}]})


def v2_binary(rows: list[list[float]]) -> tuple[bytes, dict[str, str]]:
    """As JSON with the tensor behind it."""
    size = {"binary_data_size": 8 * len(rows)}
    one = {"name": "x", "datatype": "FP32", "shape": [len(rows), 2], "parameters": size}
    head = orjson.dumps({"inputs": [one]})
    return head + flat(rows), {"Inference-Header-Content-Length": str(len(head))}


async def post(door: Any, target: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, Any]:
    """Status and JSON of a response."""
    given = headers or {}
    head = Head("POST", target, given, len(body), True, has_wishes(given))
    with Admission(1 << 26).room() as room:
        reply = await answered(door, head, body, room)
    return reply.status, orjson.loads(reply.parts[0])


def oip(client: Any, ask: Ask, deferred: Deferred | None = None) -> OpenInferenceHttp:
    """The door of the Open Inference Protocol."""
    admin = Admin(client, key="", host="127.0.0.1")
    return OpenInferenceHttp(ask, Models(client), Health(client), admin, deferred=deferred)


def asking(client: Any, most: TensorLimits) -> Ask:
    """Within these limits."""
    return Ask(client, max_in_flight=10, timeout_s=5.0, most=most)


@pytest.mark.parametrize("most", [BYTES, ROWS], ids=["bytes", "rows"])
@pytest.mark.parametrize("seen", [False, True], ids=["new", "like another"])
async def test_over_http(client: FakeClient, most: TensorLimits, seen: bool) -> None:
    """v2 as JSON and binary, TensorFlow Serving in rows and columns."""
    ask = asking(client, most)
    entrance = Entrance(oip(client, ask), {"/v1": TensorFlowServing(ask, Models(client))})
    for status, rows in ((200, FITS), *(((200, FITS),) if seen else ()), (413, TOO_MUCH)):
        body, headers = v2_binary(rows)
        assert (await post(entrance, "/v2/models/m/infer", v2(rows)))[0] == status
        assert (await post(entrance, "/v2/models/m/infer", body, headers))[0] == status
        for told in ({"instances": rows}, {"inputs": {"x": rows}}):
            found, answer = await post(entrance, "/v1/models/m:predict", orjson.dumps(told), JSON)
            assert (found, "Input 'x'" in str(answer)) == (status, status == 413)


@pytest.mark.parametrize("most", [BYTES, ROWS], ids=["bytes", "rows"])
@pytest.mark.parametrize("wish", [{"Prefer": "respond-async"}, {"Idempotency-Key": "k"}], ids=["later", "once"])
async def test_with_wishes(client_of_redis: Client, job: Job, most: TensorLimits, wish: dict[str, str]) -> None:
    """Nothing of what is too much comes to the job."""
    ask = asking(client_of_redis, most)
    results = Results(ask, client_of_redis, seconds=600)
    try:
        deferred = Deferred(results, Callbacks(results, lambda *_: asyncio.sleep(0, b"")))
        v1 = TensorFlowServing(ask, Models(client_of_redis), deferred)
        port = {"name": "x", "datatype": "FP32", "shape": [-1, 2]}
        record = {"versions": [{"version": "1", "state": "ready", "signature": {"inputs": [port]}}], "routes": {"1": 1}}
        job.redis.hashes[b"scurry:models"] = [b"m", orjson.dumps(record)]
        doors = {"infer": oip(client_of_redis, ask, deferred), "predict": v1}
        much, fits = ([v2(rows), orjson.dumps({"instances": rows})] for rows in (TOO_MUCH, FITS))
        for door, target, large in zip(doors.values(), TARGETS, much, strict=True):
            status, told = await post(door, target, large, wish)
            assert (status, told["code"], job.fields) == (413, "too_large", [])
        for door, target, small in zip(doors.values(), TARGETS, fits, strict=True):
            assert (await post(door, target, small, wish))[0] in {200, 202}
    finally:
        await results.close()


async def test_cluster_serving(client: FakeClient) -> None:
    """Each instance is a request of its own."""
    door: Any = ClusterServing(asking(client, TensorLimits(max_tensor_bytes=4)), Models(client))
    status, told = await post(door, "/models/m/predict", b'{"instances": [{"x": [1, 2]}]}')
    assert (status, told["code"]) == (413, "too_large")


@pytest.mark.parametrize("most", [BYTES, ROWS], ids=["bytes", "rows"])
@pytest.mark.parametrize("raw", [False, True], ids=["typed", "raw"])
async def test_over_grpc(client: FakeClient, most: TensorLimits, raw: bool) -> None:
    """Calls and streams, with contents of both kinds; the sentence names the input."""
    line = Line(door_of(client, most=most))
    line.greet()
    for status, rows in (("0", FITS), ("0", FITS), ("8", TOO_MUCH)):
        request = ModelInferRequest(model_name="m", raw_input_contents=[flat(rows)] if raw else ())
        request.inputs.add(name="x", datatype="FP32", shape=[len(rows), 2])
        if not raw:
            request.inputs[0].contents.fp32_contents.extend(number for row in rows for number in row)
        reply = await line.call("ModelInfer", request.SerializeToString())
        assert (reply.status, "Input 'x' has" in reply.text) == (status, status != "0")
        stream = await line.call("ModelStreamInfer", request.SerializeToString())
        told = ModelStreamInferResponse.FromString(stream.messages[0])
        assert ("Input 'x' has" in told.error_message) == (status != "0")


async def test_shared_memory_over_grpc(client: FakeClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read from there counts as what was sent."""
    monkeypatch.setattr(SharedMemory.__init__, "__kwdefaults__", {"folder": tmp_path})
    (tmp_path / "piece").write_bytes(flat(TOO_MUCH))
    door = door_of(client, most=BYTES)
    door._inference._placing._memory.register("r", "piece", 0, 24)
    line = Line(door)
    line.greet()
    request = ModelInferRequest(model_name="m")
    request.inputs.add(name="x", datatype="FP32", shape=[3, 2])
    request.inputs[0].parameters["shared_memory_region"].string_param = "r"
    request.inputs[0].parameters["shared_memory_byte_size"].int64_param = 24
    reply = await line.call("ModelInfer", request.SerializeToString())
    assert (reply.status, "Input 'x' has 24 bytes" in reply.text) == ("8", True)


async def test_requests_of_a_key_over_every_grpc_service(client: FakeClient, tmp_path: Path) -> None:
    """One in flight is all that this key has: the second is refused, and again taken once the first is answered."""
    (tmp_path / "keys").write_text("ci a-key-of-sixteen infer,read max_in_flight=1\n")
    access, models = Access(str(tmp_path / "keys")), Models(client)
    rest = ClusterServing(Ask(client, max_in_flight=9, timeout_s=30.0), models)
    inference = door_of(client, access=access)
    line = Line(GrpcEntrance({INFERENCE: inference, SERVICE: ClusterGrpc(rest, models, access)}))
    line.greet()
    key = {"authorization": "Bearer a-key-of-sixteen"}
    predict = words.PredictReq(model_name="m", input='{"instances": [{"x": [1, 2]}]}').SerializeToString()
    infer = ModelInferRequest(model_name="m", raw_input_contents=[bytes(8)])
    infer.inputs.add(name="x", datatype="FP32", shape=[1, 2])
    calls = [(f"{SERVICE}Predict", predict), ("ModelInfer", infer.SerializeToString())]
    for method, message in calls:
        held, go_on = asyncio.Event(), asyncio.Event()
        answer = client.ask

        async def wait(*args: Any, answer: Any = answer, held: Any = held, go_on: Any = go_on, **options: Any) -> Any:
            held.set()
            await go_on.wait()
            return await answer(*args, **options)

        client.ask = wait  # type: ignore[method-assign]
        stream = line.head(method, **key)
        line.data(stream, message)
        await held.wait()
        for other, said in calls:
            refused = await line.call(other, said, **key)
            assert (refused.status, "in flight" in refused.text) == ("8", True)
        go_on.set()
        assert (await line.reply(stream)).status == "0"
        client.ask = answer  # type: ignore[method-assign]
        assert (await line.call(method, message, **key)).status == "0"
