"""The gateway on a real socket, before a client that answers with the inputs."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import threading
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from scurry.client.answers import Answer
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors import http_connection
from scurry.gateway.doors.http import OpenInferenceHttp
from scurry.gateway.doors.listener import Listener
from scurry.gateway.health import Health
from scurry.gateway.limits import COPIES, Admission
from scurry.gateway.models import Models
from scurry.wire.errors import error
from scurry.wire.infer_pb2 import InferReply, InferRequest

LIMIT = 200_000
BODY = json.dumps({"inputs": [{"name": "x", "shape": [2], "datatype": "INT32", "data": [1, 2]}]}).encode()
SPEC = {"name": "x", "datatype": "FP32", "shape": [-1, 3]}
RECORD = {
    "versions": [
        {"version": "1", "state": "ready", "runtime": "onnx", "max_batch_size": 8,
         "signature": {"inputs": [SPEC], "outputs": [SPEC], "batched": True}},
    ],
}  # fmt: skip


class Echo:
    """Answers with the inputs, once the gate is open."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.gate.set()
        self.busy = asyncio.Event()
        self.asked = 0

    async def ask(self, model: str, request: InferRequest, **options: Any) -> Answer:
        self.asked += 1
        self.busy.set()
        await self.gate.wait()
        if model != "m":
            raise error("model_not_found", f"No model is called {model!r}.")
        return Answer(model, options.get("version") or "1", InferReply(outputs=request.inputs))

    async def models(self) -> dict[str, dict[str, Any]]:
        return {"m": RECORD}

    async def record(self, model: str) -> dict[str, Any] | None:
        return RECORD if model == "m" else None

    async def job(self) -> dict[str, str]:
        return {}

    async def update(self, update: Any, **options: Any) -> dict[str, Any]:
        raise AssertionError("nobody may")

    async def ping(self) -> None:
        return


@dataclass
class Gateway:
    """The listener under test."""

    port: int
    client: Echo
    listener: Listener

    async def send(self, data: bytes) -> bytes:
        """Send bytes, return all that comes back until the connection closes."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(data)
        try:
            return await asyncio.wait_for(reader.read(), 10)
        finally:
            writer.close()


@pytest.fixture
async def gateway(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Gateway]:
    """A gateway with small limits."""
    monkeypatch.setattr("scurry.gateway.doors.http_connection.LINGER_S", 0.1)
    client = Echo()
    admin = Admin(client, key="", host="0.0.0.0")
    door = OpenInferenceHttp(Ask(client, max_in_flight=100, timeout_s=10), Models(client), Health(client), admin)
    listener = Listener(door, Admission(4 * COPIES * LIMIT), max_body_bytes=LIMIT, body_timeout_s=0.5)
    port = await listener.open("127.0.0.1", 0)
    yield Gateway(port, client, listener)
    await listener.close(1)


def post(body: bytes, *headers: str, version: str = "1.1", target: str = "/v2/models/m/infer") -> bytes:
    """A whole POST request, closing unless told otherwise."""
    lines = [f"POST {target} HTTP/{version}", "Host: x", *headers]
    if not any(line.lower().startswith(("transfer-encoding", "content-length")) for line in lines):
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def status(answer: bytes) -> int:
    """The status of the first response."""
    return int(answer.split(b" ", 2)[1])


CLOSE = "Connection: close"


async def test_connections_are_kept_and_pipelines_answered_in_order(gateway: Gateway) -> None:
    """Two requests in one write give two answers, the last of which closes."""
    answer = await gateway.send(post(BODY) + post(BODY, CLOSE, target="/v2/models/other/infer"))
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 OK")
    assert b"Connection: close" not in first
    assert second.startswith(b"404 Not Found")
    assert b"Connection: close\r\n" in second
    assert b"\r\nDate: " in first


async def test_http_1_0_is_answered_and_closed(gateway: Gateway) -> None:
    """Unless it asks to be kept."""
    answer = await gateway.send(post(BODY, version="1.0"))
    assert status(answer) == 200
    assert b"Connection: close\r\n" in answer


async def test_head_has_the_length_but_not_the_body(gateway: Gateway) -> None:
    """As probes of load balancers ask."""
    answer = await gateway.send(b"HEAD /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status(answer) == 200
    assert b"Content-Length: 13\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_chunked_bodies_are_read(gateway: Gateway) -> None:
    """Callers need not know the length before."""
    chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, BODY[:10], len(BODY) - 10, BODY[10:])
    answer = await gateway.send(post(chunks, "Transfer-Encoding: chunked", CLOSE))
    assert status(answer) == 200


async def test_a_caller_that_waits_for_100_is_told_to_go_on(gateway: Gateway) -> None:
    """curl does so before large bodies."""
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    head = post(b"", "Expect: 100-continue", CLOSE, f"Content-Length: {len(BODY)}")
    writer.write(head)
    assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert status(await asyncio.wait_for(reader.read(), 5)) == 200
    writer.close()


@pytest.mark.parametrize(("coding", "compress"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
async def test_compressed_bodies_are_read(gateway: Gateway, coding: str, compress: Callable[[bytes], bytes]) -> None:
    """As Triton's client sends them."""
    answer = await gateway.send(post(compress(BODY), f"Content-Encoding: {coding}", CLOSE))
    assert status(answer) == 200


@pytest.mark.parametrize("size", [LIMIT + 1, 200 * LIMIT])
async def test_a_bomb_of_zeros_is_too_large(gateway: Gateway, size: int) -> None:
    """The limit is on what comes out, and only so much is ever unpacked."""
    answer = await gateway.send(post(gzip.compress(bytes(size)), "Content-Encoding: gzip"))
    assert status(answer) == 413
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "too_large"


async def test_rubbish_that_claims_to_be_compressed_is_400(gateway: Gateway) -> None:
    """With a JSON body, like every refusal of ours."""
    answer = await gateway.send(post(b"not gzip at all", "Content-Encoding: gzip"))
    assert status(answer) == 400


async def test_a_body_above_the_limit_is_refused_before_it_is_read(gateway: Gateway) -> None:
    """By its announced length."""
    answer = await gateway.send(post(b"", f"Content-Length: {LIMIT + 1}", "Expect: 100-continue"))
    assert status(answer) == 413
    assert str(LIMIT).encode() in answer
    assert gateway.client.asked == 0


async def test_a_chunked_body_above_the_limit_is_refused(gateway: Gateway) -> None:
    """By what has come so far."""
    chunk = b"%x\r\n%b\r\n" % (LIMIT, bytes(LIMIT))
    answer = await gateway.send(post(chunk * 2 + b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert status(answer) == 413


async def test_a_body_of_exactly_the_limit_is_read(gateway: Gateway) -> None:
    """And answered: larger than one read and one write."""
    padded = BODY[:-1] + b" " * (LIMIT - len(BODY)) + b"}"
    assert status(await gateway.send(post(padded, CLOSE))) == 200


async def test_a_body_that_stops_coming_is_given_up(gateway: Gateway) -> None:
    """So that a slow sender holds nothing for ever."""
    answer = await gateway.send(post(BODY[:10], f"Content-Length: {len(BODY)}"))
    assert status(answer) == 400
    assert b"did not arrive" in answer


async def test_a_caller_that_leaves_is_no_error(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is logged and the listener forgets the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(post(BODY[:10], f"Content-Length: {len(BODY)}"))
    while "1 connections" not in repr(gateway.listener):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)
    writer.close()
    while "0 connections" not in repr(gateway.listener):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert caplog.records == []


async def test_what_is_not_http_is_400(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """And the listener lives on."""
    caplog.set_level("CRITICAL")
    assert status(await gateway.send(b"\x16\x03\x01 not http\r\n\r\n")) == 400
    assert status(await gateway.send(post(BODY, CLOSE))) == 200


async def test_parser_errors_are_told_in_our_json(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """A mistake of the caller's is no error of ours: nothing is logged."""
    for wrong in (b"not http at all\r\n\r\n", b"GET / HTTP/1.1\r\nbad header\r\n\r\n", b"GET /" + b"x" * 10_000):
        answer = await gateway.send(wrong + b"\r\n\r\n")
        assert status(answer) == 400
        assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "bad_request"
    assert caplog.records == []


async def test_a_chunk_that_is_none_is_told_in_our_json(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """The body's framing is the caller's too."""
    answer = await gateway.send(post(b"zz\r\n", "Transfer-Encoding: chunked"))
    assert status(answer) == 400
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "bad_request"
    assert caplog.records == []


async def test_the_rest_of_a_refused_body_is_not_read_for_ever(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sender who goes on after the answer is cut off: little of what it has comes through."""
    monkeypatch.setattr(http_connection, "LINGER_S", 60.0)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(post(b"", "Transfer-Encoding: chunked"))
    chunk, sent = b"%x\r\n%b\r\n" % (LIMIT, bytes(LIMIT)), 0
    try:
        while sent < 600_000_000:
            writer.write(chunk)
            await asyncio.wait_for(writer.drain(), 10)
            sent += len(chunk)
    except ConnectionError:
        pass
    assert sent < 100_000_000
    writer.close()
    assert status(await reader.read(1000) if not reader.exception() else b"HTTP/1.1 413 -") == 413


async def hang_up(gateway: Gateway, data: bytes) -> None:
    """Send something and reset the connection."""
    _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
    writer.write(data)
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def test_callers_that_hang_up_are_no_errors(gateway: Gateway, caplog: pytest.LogCaptureFixture) -> None:
    """In the head, in the body, in a chunk, while they wait: nothing is logged, nothing stays behind."""
    gateway.client.gate.clear()
    await hang_up(gateway, b"GET /v2 HT")
    await hang_up(gateway, post(BODY[:10], f"Content-Length: {len(BODY)}"))
    await hang_up(gateway, post(b"ff\r\nabc", "Transfer-Encoding: chunked"))
    await hang_up(gateway, post(gzip.compress(BODY)[:9], "Content-Encoding: gzip", "Content-Length: 99"))
    await hang_up(gateway, post(BODY) + post(BODY))
    gateway.client.gate.set()
    while "<Listener 0 connections, <Admission 0 of" not in repr(gateway.listener):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    assert caplog.records == []


async def test_a_head_that_does_not_come_is_given_up(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """From its first byte on it has so long, however busily the rest drips in."""
    monkeypatch.setattr(http_connection, "HEAD_S", 0.2)
    reader, writer = await asyncio.open_connection("127.0.0.1", gateway.port)

    async def drip() -> None:
        for byte in post(BODY)[:6]:  # what is sent after the answer would reset the connection
            writer.write(bytes((byte,)))
            await asyncio.sleep(0.02)

    await drip()
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    assert status(answer) == 400
    assert b"did not arrive" in answer


async def test_a_silent_connection_is_closed(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before its first request, and after one."""
    monkeypatch.setattr(http_connection, "IDLE_S", 0.2)
    assert await gateway.send(b"") == b""
    assert status(await gateway.send(post(BODY))) == 200


async def test_memory_is_admitted_before_a_body_is_read(gateway: Gateway) -> None:
    """Announced bodies take their room at once; who finds none is told to come again."""
    writers = []
    for _ in range(4):
        _, writer = await asyncio.open_connection("127.0.0.1", gateway.port)
        writer.write(post(b"{", f"Content-Length: {LIMIT}"))
        writers.append(writer)
    while f"{4 * COPIES * LIMIT} of" not in repr(gateway.listener):  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    answer = await gateway.send(post(b"{", f"Content-Length: {LIMIT}"))
    assert status(answer) == 503
    assert b"\r\nRetry-After: 1\r\n" in answer
    assert json.loads(answer.rpartition(b"\r\n\r\n")[2])["code"] == "overloaded"
    assert gateway.client.asked == 0
    for writer in writers:
        writer.close()
    while "Admission 0 of" not in repr(gateway.listener):  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert status(await gateway.send(post(BODY, CLOSE))) == 200


async def test_large_json_leaves_the_loop_free(gateway: Gateway) -> None:
    """It is parsed and written by a thread of its own, and comes back as it was."""
    numbers = list(range(60_000))
    body = json.dumps({"inputs": [{"name": "x", "shape": [60_000], "datatype": "INT64", "data": numbers}]}).encode()
    gateway.listener._max_body_bytes = 10 * LIMIT
    gateway.listener._admission = Admission(64 * 1024 * 1024)
    answer = await gateway.send(post(body, CLOSE))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["outputs"][0]["data"] == numbers
    assert any(thread.name.startswith("parse") for thread in threading.enumerate())


async def test_closing_answers_what_has_been_asked(gateway: Gateway) -> None:
    """New connections are refused meanwhile."""
    gateway.client.gate.clear()
    asked = asyncio.create_task(gateway.send(post(BODY)))
    await gateway.client.busy.wait()
    closing = asyncio.create_task(gateway.listener.close(5))
    await asyncio.sleep(0.05)
    with pytest.raises(OSError):
        await asyncio.open_connection("127.0.0.1", gateway.port)
    gateway.client.gate.set()
    assert status(await asked) == 200
    await closing


async def test_an_unmodified_triton_client_gets_its_answers(gateway: Gateway) -> None:
    """Health, metadata, JSON and binary inference, compression, errors."""
    await asyncio.to_thread(drive_triton_client, f"127.0.0.1:{gateway.port}")


def drive_triton_client(url: str) -> None:
    """What a user of tritonclient.http does."""
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException

    with triton.InferenceServerClient(url, concurrency=2) as server:
        assert server.is_server_live()
        assert server.is_server_ready()
        assert server.get_server_metadata()["name"] == "scurry"
        assert server.is_model_ready("m")
        assert not server.is_model_ready("other")
        assert server.get_model_metadata("m", "1")["inputs"][0]["name"] == "x"
        assert server.get_model_config("m")["max_batch_size"] == 8
        assert server.get_model_repository_index()[0]["state"] == "READY"
        numbers = np.arange(30_000, dtype=np.float32).reshape(-1, 3)
        texts = np.array([["ä", b"\x00\xff", ""]], dtype=object)
        for value, datatype in ((numbers, "FP32"), (texts, "BYTES"), (numbers.astype(np.float16), "FP16")):
            given = triton.InferInput("x", list(value.shape), datatype)
            given.set_data_from_numpy(value, binary_data=True)
            for coding in (None, "gzip", "deflate"):
                result = server.infer("m", [given], request_id="7", request_compression_algorithm=coding)
                expected = value if datatype != "BYTES" else [["ä".encode(), b"\x00\xff", b""]]
                np.testing.assert_array_equal(result.as_numpy("x"), expected)
                assert result.get_response()["id"] == "7"
        given = triton.InferInput("x", [2, 3], "FP32")
        given.set_data_from_numpy(numbers[:2], binary_data=False)
        wanted = triton.InferRequestedOutput("x", binary_data=False)
        result = server.infer("m", [given], model_version="1", outputs=[wanted], timeout=5_000_000)
        np.testing.assert_array_equal(result.as_numpy("x"), numbers[:2])
        assert result.get_output("x")["data"] == [0, 1, 2, 3, 4, 5]
        with pytest.raises(InferenceServerException, match="No model is called 'other'"):
            server.infer("other", [given])
