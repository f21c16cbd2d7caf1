"""The gateway on a real socket: usual requests, late callers, closing."""

from __future__ import annotations

import asyncio
import gzip
import json
import socket
import struct
import threading

import numpy as np
import pytest
from tests.integration.listening import BODY, CLOSE, LIMIT, Gateway, listening, post, status

from scurry.gateway.doors import listener, patience
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.listener import Listener
from scurry.gateway.limits import COPIES, Admission

__all__ = ["listening"]


async def test_connections_are_kept_and_pipelines_answered_in_order(gateway: Gateway) -> None:
    """Two requests in one write give two answers, the last of which closes."""
    answer = await gateway.send(post(BODY) + post(BODY, CLOSE, target="/v2/models/other/infer"))
    first, second = answer.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200 OK")
    assert b"Connection: close" not in first
    assert second.startswith(b"404 Not Found")
    assert b"Connection: close\r\n" in second
    assert b"\r\nDate: " in first


async def test_head_has_the_length_but_not_the_body(gateway: Gateway) -> None:
    """As probes of load balancers ask."""
    answer = await gateway.send(b"HEAD /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert status(answer) == 200
    assert b"Content-Length: 13\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


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
    monkeypatch.setattr(patience, "HEAD_S", 0.2)
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
    monkeypatch.setattr(patience, "IDLE_S", 0.2)
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


async def test_connections_above_their_number_are_told_so(gateway: Gateway) -> None:
    """Also those that aiohttp has count; when one goes, the next is served."""
    census = Census(max_connections=3, max_per_address=2)
    made = Listener(gateway.listener.door, Admission(9 * LIMIT), max_body_bytes=LIMIT, body_timeout_s=1, census=census)
    port = await made.open("127.0.0.1", 0)
    kept = [await asyncio.open_connection("127.0.0.1", port) for _ in range(2)]
    kept[0][1].write(post(b"0\r\n\r\n", "Transfer-Encoding: chunked"))
    assert status(await kept[0][0].readuntil(b"\r\n\r\n")) == 400
    while len(census) < 2:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    refused = await Gateway(port, gateway.client, made).send(post(BODY))
    assert status(refused) == 429
    assert json.loads(refused.partition(b"\r\n\r\n")[2])["code"] == "rate_limited"
    reader, other = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.2", 0))
    other.write(post(BODY))
    assert status(await reader.readuntil(b"\r\n\r\n")) == 200
    turned, fourth = await asyncio.open_connection("127.0.0.1", port, local_addr=("127.0.0.3", 0))
    assert status(await turned.readuntil(b"\r\n\r\n")) == 503
    for writer in (kept[0][1], kept[1][1], fourth):
        writer.close()
    while len(census) > 1:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    assert status(await Gateway(port, gateway.client, made).send(post(BODY, CLOSE))) == 200
    other.close()
    await made.close(1)


async def test_large_json_leaves_the_loop_free(gateway: Gateway) -> None:
    """It is parsed and written by a thread of its own, and comes back as it was."""
    numbers = list(range(60_000))
    body = json.dumps({"inputs": [{"name": "x", "shape": [60_000], "datatype": "INT64", "data": numbers}]}).encode()
    gateway.listener.max_body_bytes = 10 * LIMIT
    gateway.listener.admission = Admission(64 * 1024 * 1024)
    answer = await gateway.send(post(body, CLOSE))
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["outputs"][0]["data"] == numbers
    assert any(thread.name.startswith("parse") for thread in threading.enumerate())


async def test_closing_answers_what_has_been_asked(gateway: Gateway) -> None:
    """New connections are told that we stop meanwhile; probes hear that we live, and are not ready."""
    gateway.client.gate.clear()
    asked = asyncio.create_task(gateway.send(post(BODY)))
    await gateway.client.busy.wait()
    closing = asyncio.create_task(gateway.listener.close(5))
    await asyncio.sleep(0.05)
    refused = await gateway.send(post(BODY))
    assert (status(refused), b"Connection: close\r\n" in refused) == (503, True)
    assert json.loads(refused.partition(b"\r\n\r\n")[2])["code"] == "unavailable"
    assert status(await gateway.send(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 200
    assert status(await gateway.send(b"GET /v2/health/ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")) == 503
    gateway.client.gate.set()
    assert status(await asked) == 200
    await closing


async def test_a_port_is_shared_only_among_those_who_are_told(gateway: Gateway) -> None:
    """All of them; then each takes connections, and one that left can come again while the others listen."""

    def another() -> Listener:
        return Listener(gateway.listener.door, Admission(LIMIT), max_body_bytes=LIMIT, body_timeout_s=1)

    with pytest.raises(OSError):
        await another().open("127.0.0.1", gateway.port)
    with pytest.raises(OSError):
        await another().open("127.0.0.1", gateway.port, reuse_port=True)
    first, second = another(), another()
    port = await first.open("127.0.0.1", 0, reuse_port=True)
    with pytest.raises(OSError):
        await another().open("127.0.0.1", port)
    assert await second.open("127.0.0.1", port, reuse_port=True) == port
    writers = [(await asyncio.open_connection("127.0.0.1", port))[1] for _ in range(64)]
    while len(first.connections) + len(second.connections) < 64:  # noqa: ASYNC110 - nothing tells
        await asyncio.sleep(0.01)
    assert min(len(first.connections), len(second.connections)) > 0
    await first.close(0)
    third = another()
    await third.open("127.0.0.1", port, reuse_port=True)
    for writer in writers:
        writer.close()
    await second.close(0)
    assert status(await Gateway(port, gateway.client, third).send(post(BODY, CLOSE))) == 200
    await third.close(1)


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


async def test_of_many_connections_every_one_is_looked_at(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """A few in each turn, so that thousands keep nobody waiting."""
    monkeypatch.setattr(patience, "HEAD_S", 0.1)
    monkeypatch.setattr(listener, "AT_ONCE", 3)
    links = [await asyncio.open_connection("127.0.0.1", gateway.port) for _ in range(20)]
    for _, writer in links:
        writer.write(b"POST")
    answers = await asyncio.wait_for(asyncio.gather(*(reader.read() for reader, _ in links)), 20)
    assert {status(answer) for answer in answers} == {400}
    for _, writer in links:
        writer.close()
