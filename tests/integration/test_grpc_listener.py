"""The gRPC door on a real socket, called by grpc.aio and tritonclient."""

from __future__ import annotations

import asyncio
import queue
from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import numpy as np
import pytest
import tritonclient.grpc as triton
from tests.integration.listening import Echo
from tests.unit.gateway.doors.line import door_of

from scurry.gateway.doors.census import Census
from scurry.gateway.doors.grpc import SERVICE
from scurry.gateway.doors.grpc_listener import GrpcListener
from scurry.gateway.limits import Admission
from scurry.protocols import oip_pb2 as oip

LIMIT = 32 << 20


class Served:
    """A listener and a channel to it."""

    def __init__(self) -> None:
        self.echo = Echo()
        self.listener = GrpcListener(
            door_of(self.echo, max_in_flight=1000), Admission(8 * LIMIT), max_body_bytes=LIMIT, body_timeout_s=5.0
        )

    async def open(self) -> None:
        """Listen, and connect."""
        self.port = await self.listener.open("127.0.0.1", 0)
        self.address = f"127.0.0.1:{self.port}"
        self.channel = grpc.aio.insecure_channel(self.address, [("grpc.max_receive_message_length", -1)])

    def call(self, method: str) -> Callable[..., Any]:
        """A method of the service."""
        return self.channel.unary_unary(
            SERVICE + method, lambda message: message.SerializeToString(), getattr(oip, f"{method}Response").FromString
        )


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """The door before a client that answers with the inputs."""
    served = Served()
    await served.open()
    yield served
    served.echo.gate.set()
    await served.channel.close()
    await served.listener.close(5)


def asked(numbers: Any, **fields: Any) -> oip.ModelInferRequest:
    """A request with one tensor."""
    array = np.asarray(numbers, np.float32)
    request = oip.ModelInferRequest(model_name="m", raw_input_contents=[array.tobytes()], **fields)
    request.inputs.add(name="x", datatype="FP32", shape=array.shape)
    return request


@pytest.mark.parametrize("size", [1, 10_000, 300_000, 7_000_000])
async def test_grpc_aio_gets_its_tensors_back(served: Served, size: int) -> None:
    """Larger than any window, many at a time."""
    numbers = np.arange(size, dtype=np.float32)
    count = 20 if size < 1_000_000 else 2
    responses = await asyncio.gather(*(served.call("ModelInfer")(asked(numbers + n)) for n in range(count)))
    for n, response in enumerate(responses):
        assert np.array_equal(np.frombuffer(response.raw_output_contents[0], np.float32), numbers + n)


async def test_metadata_that_differs_each_time_is_read(served: Served) -> None:
    """Whatever the caller's table of headers holds."""
    seen = []
    real = served.echo.ask

    async def ask(model: str, request: Any, **options: Any) -> Any:
        seen.append((options["key"], options["traceparent"]))
        return await real(model, request, **options)

    served.echo.ask = ask  # type: ignore[method-assign]
    for n in range(50):
        metadata = (("scurry-key", f"key-{n % 7}"), ("traceparent", f"00-{n}"), ("x-other-bin", bytes((n,)) * 50))
        await served.call("ModelInfer")(asked([n]), metadata=metadata, timeout=5 + n)
    assert seen == [(f"key-{n % 7}", f"00-{n}") for n in range(50)]


async def test_a_deadline_ends_the_wait_and_a_cancelled_call_holds_nothing(served: Served) -> None:
    """The caller's side of both."""
    served.echo.gate.clear()
    with pytest.raises(grpc.aio.AioRpcError) as late:
        await served.call("ModelInfer")(asked([1.0]), timeout=0.2)
    assert late.value.code() == grpc.StatusCode.DEADLINE_EXCEEDED
    call = served.call("ModelInfer")(asked([1.0]))
    await asyncio.sleep(0.1)
    call.cancel()
    served.echo.gate.set()
    assert (await served.call("ModelInfer")(asked([1.0]))).model_name == "m"
    assert "<Admission 0 " in repr(served.listener.admission)


async def test_a_message_above_the_limit_is_refused_and_the_channel_goes_on(served: Served) -> None:
    """With RESOURCE_EXHAUSTED and a sentence."""
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await served.call("ModelInfer")(asked(np.zeros(LIMIT // 4 + 1)))
    assert refused.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "--max-body-bytes" in (refused.value.details() or "")
    assert (await served.call("ServerLive")(oip.ServerLiveRequest())).live


async def test_a_gateway_that_stops_answers_what_was_asked(served: Served) -> None:
    """A new call finds nobody."""
    served.echo.gate.clear()
    call = served.call("ModelInfer")(asked([1.0]))
    await served.echo.busy.wait()
    closing = asyncio.create_task(served.listener.close(5))
    await asyncio.sleep(0.1)
    assert not closing.done()
    served.echo.gate.set()
    assert (await call).model_name == "m"
    await closing
    with pytest.raises(grpc.aio.AioRpcError) as gone:
        await served.call("ServerLive")(oip.ServerLiveRequest(), timeout=2)
    assert gone.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


async def test_two_listeners_share_a_port(served: Served) -> None:
    """As several gateway processes do."""
    one, other = (GrpcListener(served.listener.door, Admission(LIMIT), max_body_bytes=LIMIT, body_timeout_s=5.0)
                  for _ in range(2))  # fmt: skip
    port = await one.open("127.0.0.1", 0, reuse_port=True)
    assert await other.open("127.0.0.1", port, reuse_port=True) == port
    await one.close(1)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        live = channel.unary_unary(f"{SERVICE}ServerLive")
        assert oip.ServerLiveResponse.FromString(await live(b"")).live
    await other.close(1)


async def test_callers_who_break_off_are_forgotten(served: Served) -> None:
    """Within a message as well."""
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    async with asyncio.timeout(5):
        while len(served.listener.connections) < 1:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        writer.transport.abort()
        while served.listener.connections:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def use_triton(address: str) -> dict[str, Any]:
    """What an unmodified tritonclient gets; in this process, beside our own messages."""
    got: dict[str, Any] = {}
    with triton.InferenceServerClient(address) as client:
        got["live"], got["ready"] = client.is_server_live(), client.is_server_ready()
        got["unknown"] = client.is_model_ready("nobody")
        got["metadata"] = client.get_model_metadata("m", as_json=True)["inputs"]
        value = triton.InferInput("x", [1, 3], "FP32")
        value.set_data_from_numpy(np.array([[1, 2, 3]], np.float32))
        for algorithm in (None, "gzip", "deflate"):
            result = client.infer("m", [value], request_id="7", compression_algorithm=algorithm)
            got[algorithm] = (result.as_numpy("x").tolist(), result.get_response().id)
        done: queue.Queue[Any] = queue.Queue()
        client.start_stream(lambda result, error: done.put((result, error)))
        for number in range(200):
            model = "m" if number % 10 else "nobody"
            client.async_stream_infer(model, [value], request_id=str(number))
        answers = [done.get(timeout=20) for _ in range(200)]
        client.stop_stream()
        got["stream"] = {result.get_response().id for result, error in answers if error is None}
        got["errors"] = sum(error is not None for _, error in answers)
    return got


async def test_tritonclient_works_unmodified(served: Served) -> None:
    """Calls, compression, a stream of two hundred."""
    got = await asyncio.to_thread(use_triton, served.address)
    assert (got["live"], got["ready"], got["unknown"]) == (True, True, False)
    assert got["metadata"] == [{"name": "x", "datatype": "FP32", "shape": ["-1", "3"]}]
    assert all(got[algorithm] == ([[1.0, 2.0, 3.0]], "7") for algorithm in (None, "gzip", "deflate"))
    assert got["stream"] == {str(number) for number in range(200) if number % 10}
    assert got["errors"] == 20


async def test_connections_above_a_limit_are_told_so(served: Served) -> None:
    """By a status, at once; when another has gone there is room. One channel is one connection."""
    served.listener.census = Census(max_connections=1)
    assert (await served.call("ServerLive")(oip.ServerLiveRequest())).live
    options = [("grpc.use_local_subchannel_pool", 1), ("grpc.initial_reconnect_backoff_ms", 100)]
    second = grpc.aio.insecure_channel(served.address, options)
    live = second.unary_unary(
        f"{SERVICE}ServerLive", lambda message: message.SerializeToString(), oip.ServerLiveResponse.FromString
    )
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await live(oip.ServerLiveRequest(), timeout=5)
    assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
    assert len(served.listener.census) == 1
    await served.channel.close()
    async with asyncio.timeout(10):
        while len(served.listener.census):  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.01)
        assert (await live(oip.ServerLiveRequest(), wait_for_ready=True)).live
    await second.close()
