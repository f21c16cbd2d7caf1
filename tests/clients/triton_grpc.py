"""Every call of Triton's gRPC client, made of a running server; prints what came of each as JSON.

A program of its own, for any environment that has `tritonclient[grpc]`: python triton_grpc.py HOST:PORT sync|aio
"""

from __future__ import annotations

import asyncio
import inspect
import json
import queue
import sys
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import numpy as np
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.grpc.aio import InferenceServerClient as AioClient
from tritonclient.utils import InferenceServerException, shared_memory

MODEL = "simple"
A = np.arange(32, dtype=np.int32).reshape(2, 16)
B = np.full((2, 16), 3, np.int32)


async def now(made: Any) -> Any:
    """What a call comes to, of either client."""
    return await made if inspect.isawaitable(made) else made


def inputs() -> list[Any]:
    """The model's two."""
    made = [InferInput(f"INPUT{at}", value.shape, "INT32") for at, value in enumerate((A, B))]
    for each, value in zip(made, (A, B), strict=True):
        each.set_data_from_numpy(value)
    return made


def check(result: Any) -> None:
    """Sum and difference."""
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), A + B)
    np.testing.assert_array_equal(result.as_numpy("OUTPUT1"), A - B)


async def infer(client: Any) -> None:
    """In every form that an input or output can have."""
    for coding in (None, "gzip", "deflate"):
        wanted = [InferRequestedOutput(f"OUTPUT{at}") for at in (0, 1)]
        for outputs, version in ((None, ""), (wanted, "1")):
            result = await now(client.infer(
                MODEL, inputs(), version, outputs, request_id="7", timeout=30_000_000, priority=1, client_timeout=60,
                parameters={"mine": "x"}, headers={"traceparent": "00-1"}, compression_algorithm=coding,
            ))  # fmt: skip
            check(result)
            assert result.get_response().id == "7"
    wanted = InferRequestedOutput("OUTPUT0", class_count=2)
    told = (await now(client.infer(MODEL, inputs(), outputs=[wanted]))).as_numpy("OUTPUT0").tolist()
    assert told == [[b"18:15", b"17:14"], [b"34:15", b"33:14"]], told
    await in_shared_memory(client)
    await odd_shapes(client)
    try:
        await now(client.infer("wrong_model_name", inputs()))
    except InferenceServerException as error:
        assert error.message().startswith("Request for unknown model"), error
        assert error.status() == "StatusCode.NOT_FOUND"


async def in_shared_memory(client: Any) -> None:
    """Both inputs and one output; a server on another machine would refuse it."""
    key, size = f"/triton-{uuid.uuid4().hex}", A.nbytes
    region = shared_memory.create_shared_memory_region("calls-grpc", key, 3 * size)
    try:
        shared_memory.set_shared_memory_region(region, [A, B])
        await now(client.register_system_shared_memory("calls-grpc", key, 3 * size))
        assert "calls-grpc" in (await now(client.get_system_shared_memory_status())).regions
        given = [InferInput(f"INPUT{at}", [2, 16], "INT32") for at in (0, 1)]
        for at, each in enumerate(given):
            each.set_shared_memory("calls-grpc", size, offset=at * size)
        wanted = InferRequestedOutput("OUTPUT0")
        wanted.set_shared_memory("calls-grpc", size, offset=2 * size)
        await now(client.infer(MODEL, given, outputs=[wanted]))
        total = shared_memory.get_contents_as_numpy(region, np.int32, [2, 16], offset=2 * size)
        np.testing.assert_array_equal(total, A + B)
        await now(client.unregister_system_shared_memory("calls-grpc"))
    finally:
        shared_memory.destroy_shared_memory_region(region)


async def odd_shapes(client: Any) -> None:
    """No input at all, a scalar, texts with any character, empty ones as well."""
    told = await now(client.infer("simple_no_input", []))
    np.testing.assert_array_equal(told.as_numpy("OUTPUT0"), [1, 2, 3])
    scalar = InferInput("INPUT0", [], "FP32")
    scalar.set_data_from_numpy(np.array(2.5, np.float32))
    assert (await now(client.infer("simple_scalar", [scalar]))).as_numpy("OUTPUT0") == 5
    texts = np.array([[b"he\0llo", b"", "ü".encode(), *[b"text"] * 13]], object)
    given = InferInput("INPUT0", [1, 16], "BYTES")
    given.set_data_from_numpy(texts)
    assert (await now(client.infer("simple_identity", [given]))).as_numpy("OUTPUT0").tolist() == texts.tolist()


async def async_infer(client: Any) -> None:
    """Several at once, answered in any order."""
    done: queue.Queue[Any] = queue.Queue()
    for _ in range(4):
        client.async_infer(MODEL, inputs(), lambda result, error: done.put(error or result))
    for _ in range(4):
        check(done.get(timeout=30))


def step(at: int) -> Any:
    """One step of a sequence."""
    value = InferInput("INPUT", [1, 1], "INT32")
    value.set_data_from_numpy(np.array([[5]], np.int32))
    return {"inputs": [value], "sequence_start": at == 0, "sequence_end": at == 2}


async def stream(client: Any) -> None:
    """Many requests at once, one that fails, a sequence; each answer says that it is the last to its request."""
    done: queue.Queue[Any] = queue.Queue()
    client.start_stream(lambda result, error: done.put(error or result))
    for number in range(40):
        client.async_stream_infer(
            MODEL if number else "nobody", inputs(), request_id=str(number), enable_empty_final_response=True
        )
    answers = [done.get(timeout=30) for _ in range(40)]
    failed = [one for one in answers if isinstance(one, InferenceServerException)]
    assert len(failed) == 1 and "Request for unknown model" in str(failed[0]), failed
    for one in answers:
        if one not in failed:
            check(one)
            assert one.get_response().parameters["triton_final_response"].bool_param
    named = uuid.uuid4().hex
    for at in range(3):
        client.async_stream_infer("simple_sequence", sequence_id=named, **step(at))
        assert done.get(timeout=30).as_numpy("OUTPUT").tolist() == [[6 if at == 0 else 5]]
    client.stop_stream()


async def stream_infer(client: Any) -> None:
    """The same as an iterator."""
    named = uuid.uuid4().hex

    async def steps() -> AsyncIterator[dict[str, Any]]:
        for at in range(3):
            yield {"model_name": "simple_sequence", "sequence_id": named, "request_id": str(at), **step(at)}

    found = {}
    async for result, error in client.stream_infer(steps()):
        assert error is None, error
        found[result.get_response().id] = result.as_numpy("OUTPUT").tolist()
    assert found == {"0": [[6]], "1": [[5]], "2": [[5]]}, found


async def load(client: Any) -> None:
    """With another config as well; it is ready when that is answered, and wrong ones are told."""
    await now(client.load_model(MODEL))
    assert await now(client.is_model_ready(MODEL))
    await now(client.load_model(MODEL, config='{"max_batch_size": "16"}'))
    assert (await now(client.get_model_config(MODEL))).config.max_batch_size == 16
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("nobody", {}), (MODEL, {"config": "{{"}), (MODEL, {"config": "{}", "files": {"file:1/model.onnx": b"x"}}),
    ]  # fmt: skip
    for name, options in wrong:
        try:
            await now(client.load_model(name, **options))
        except InferenceServerException as error:
            assert "failed to load" in error.message(), error
        else:
            raise AssertionError(f"{name} {options} was loaded")


async def unload(client: Any) -> None:
    """It is not ready when that is answered, and can be loaded again."""
    await now(client.unload_model(MODEL))
    assert not await now(client.is_model_ready(MODEL))
    await now(client.load_model(MODEL))
    check(await now(client.infer(MODEL, inputs())))


async def model_ready(client: Any) -> None:
    """One that is not there is not, which is no error."""
    assert await now(client.is_model_ready(MODEL, "1")) is True
    assert await now(client.is_model_ready("nobody")) is False


def told(name: str, holds: Callable[[Any], object], *args: Any) -> Callable[[Any], Any]:
    """A call whose answer must be so."""

    async def made(client: Any) -> None:
        answer = await now(getattr(client, name)(*args))
        assert holds(answer), answer

    return made


CALLS: dict[str, Callable[[Any], Any]] = {
    "is_server_live": told("is_server_live", lambda live: live is True),
    "is_server_ready": told("is_server_ready", lambda ready: ready is True),
    "is_model_ready": model_ready,
    "get_server_metadata": told("get_server_metadata", lambda one: one.name == "triton"),
    "get_model_metadata": told("get_model_metadata", lambda one: len(one.inputs) == 2, MODEL),
    "get_model_config": told("get_model_config", lambda one: list(one.config.input[0].dims) == [16], MODEL, "1"),
    "get_model_repository_index": told("get_model_repository_index", lambda all_: len(all_.models) == 7),
    "get_inference_statistics": told(
        "get_inference_statistics", lambda one: one.model_stats[0].inference_stats.success.count >= 0, MODEL
    ),
    "infer": infer,
    "async_infer": async_infer,
    "start_stream": stream,
    "async_stream_infer": stream,
    "stop_stream": stream,
    "stream_infer": stream_infer,
    "load_model": load,
    "unload_model": unload,
    "get_trace_settings": told("get_trace_settings", lambda one: "trace_level" in one.settings, MODEL),
    "update_trace_settings": told(
        "update_trace_settings", lambda one: list(one.settings["trace_rate"].value) == ["5"], MODEL, {"trace_rate": "5"}
    ),
    "get_log_settings": told("get_log_settings", lambda one: "log_info" in one.settings),
    "update_log_settings": told(
        "update_log_settings", lambda one: one.settings["log_info"].bool_param is True, {"log_info": True}
    ),
    "get_system_shared_memory_status": told("get_system_shared_memory_status", lambda one: one is not None),
    "register_system_shared_memory": in_shared_memory,
    "unregister_system_shared_memory": told("unregister_system_shared_memory", lambda one: one is None),
    "get_cuda_shared_memory_status": told("get_cuda_shared_memory_status", lambda one: not one.regions),
    "register_cuda_shared_memory": told("register_cuda_shared_memory", lambda _: True, "c", b"aGFuZGxl", 0, 8),
    "unregister_cuda_shared_memory": told("unregister_cuda_shared_memory", lambda one: one is None),
}
LOCAL = {"close", "plugin", "register_plugin", "unregister_plugin"}
"""What a client does without asking the server."""


def public(kind: type) -> list[str]:
    """The names of a class that users may call."""
    return sorted(name for name, _ in inspect.getmembers(kind, callable) if not name.startswith("_"))


async def outcomes(kind: type, url: str) -> dict[str, str]:
    """What came of every public call: `answers`, `refused` with the server's sentence, or what went wrong."""
    found: dict[str, str] = {}
    client = kind(url)
    for name in public(kind):
        if name in LOCAL:
            found[name] = "local"
            continue
        try:
            await CALLS[name](client)
            found[name] = "answers"
        except InferenceServerException as error:
            found[name] = f"refused {error.status()}: {error.message()}"
        except Exception as error:
            found[name] = f"wrong: {type(error).__name__}: {error}"
    await now(client.close())
    return found


if __name__ == "__main__":
    print(json.dumps(asyncio.run(outcomes(AioClient if sys.argv[2] == "aio" else InferenceServerClient, sys.argv[1]))))
