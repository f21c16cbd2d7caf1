"""Single tensors of a gRPC request: shared memory, classification."""

from __future__ import annotations

import os
from collections.abc import Iterator
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import pytest
from tests.unit.gateway.doors.test_grpc_operations import Server

from scurry.gateway.doors.grpc_tensors import wanted_of
from scurry.protocols.oip_pb2 import ModelInferRequest, ModelInferResponse
from scurry.wire.errors import InvalidRequest


@pytest.fixture
def memory() -> Iterator[SharedMemory]:
    """A piece of shared memory."""
    memory = SharedMemory(create=True, size=4 << 20, name=f"scurry-tensors-{os.getpid()}")
    try:
        yield memory
    finally:
        memory.close()
        memory.unlink()


@pytest.fixture
async def server(client) -> Server:
    """The door."""
    return Server(client)


def request(size: int, out: int, offset: int = 0) -> ModelInferRequest:
    """An input from the region's beginning, an output behind it."""
    asked = ModelInferRequest(model_name="m")
    given = asked.inputs.add(name="x", datatype="INT32", shape=[size // 4]).parameters
    wanted = asked.outputs.add(name="x").parameters
    for place, at, length in ((given, 0, size), (wanted, offset, out)):
        place["shared_memory_region"].string_param = "r"
        place["shared_memory_byte_size"].int64_param = length
        if at:
            place["shared_memory_offset"].int64_param = at
    return asked


@pytest.mark.parametrize("size", [16, 1 << 20])
async def test_tensors_go_through_shared_memory(server, memory, size):
    """Both ways, small or large; the response says where they are."""
    await server("SystemSharedMemoryRegister", name="r", key=memory.name, offset=0, byte_size=memory.size)
    numbers = np.arange(size // 4, dtype=np.int32)
    memory.buf[:size] = numbers.tobytes()
    reply = await server.line.call("ModelInfer", request(size, size, 2 << 20).SerializeToString())
    response = ModelInferResponse.FromString(reply.messages[0])
    assert bytes(memory.buf[2 << 20 : (2 << 20) + size]) == numbers.tobytes()
    assert list(response.raw_output_contents) == [b""]
    assert response.outputs[0].parameters["shared_memory_byte_size"].int64_param == size
    assert response.outputs[0].parameters["shared_memory_offset"].int64_param == 2 << 20


async def test_what_does_not_fit_is_refused(server, memory):
    """An unknown region, one that is too small, an output that is."""
    await server("SystemSharedMemoryRegister", name="r", key=memory.name, offset=0, byte_size=64)
    assert (await server.line.call("ModelInfer", request(128, 16).SerializeToString())).status == "3"
    reply = await server.line.call("ModelInfer", request(32, 16, 32).SerializeToString())
    assert (reply.status, "at least 32 bytes" in reply.text) == ("3", True)
    await server("SystemSharedMemoryUnregister")
    reply = await server.line.call("ModelInfer", request(16, 16).SerializeToString())
    assert "Unable to find shared memory region" in reply.text


async def test_more_than_there_is_memory_for_is_refused_before_it_is_read(server, memory):
    """A region may be said to be large by few bytes."""
    asked = request(16, 16)
    asked.inputs[0].parameters["shared_memory_byte_size"].int64_param = 1 << 40
    assert (await server.line.call("ModelInfer", asked.SerializeToString())).status == "3"  # no such region
    await server("SystemSharedMemoryRegister", name="r", key=memory.name, offset=0, byte_size=64)
    assert (await server.line.call("ModelInfer", asked.SerializeToString())).status == "8"


@pytest.mark.parametrize("told", [
    {"classification": -1}, {"classification": "2"}, {"shared_memory_region": 1},
    {"shared_memory_region": "r"}, {"shared_memory_region": "r", "shared_memory_byte_size": -1},
    {"shared_memory_region": "r", "shared_memory_byte_size": 1, "classification": 1},
])  # fmt: skip
def test_what_is_told_wrongly_of_an_output_is_refused(told):
    """With the output's name."""
    with pytest.raises(InvalidRequest) as refused:
        wanted_of({"y": told})
    assert "Output 'y'" in refused.value.message
