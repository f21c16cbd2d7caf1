"""What callers set over gRPC: shared memory, traces, logs."""

from __future__ import annotations

import os
from multiprocessing.shared_memory import SharedMemory

import pytest
from tests.unit.gateway.doors.test_grpc_operations import Server

from scurry.protocols import oip_pb2 as oip


@pytest.fixture
async def server(client) -> Server:
    """The door."""
    return Server(client)


async def test_system_shared_memory_is_registered_and_forgotten(server):
    """One or all."""
    memory = SharedMemory(create=True, size=64, name=f"scurry-test-{os.getpid()}")
    try:
        for name in ("a", "b", "c"):
            await server("SystemSharedMemoryRegister", name=name, key=memory.name, offset=8, byte_size=16)
        told = (await server("SystemSharedMemoryStatus")).regions
        assert sorted(told) == ["a", "b", "c"]
        assert (told["a"].key, told["a"].offset, told["a"].byte_size) == (memory.name, 8, 16)
        assert list((await server("SystemSharedMemoryStatus", name="b")).regions) == ["b"]
        await server("SystemSharedMemoryUnregister", name="a")
        assert sorted((await server("SystemSharedMemoryStatus")).regions) == ["b", "c"]
        await server("SystemSharedMemoryUnregister")
        assert not (await server("SystemSharedMemoryStatus")).regions
        status, text = await server("SystemSharedMemoryStatus", name="a")
        assert (status, "'a'" in text) == ("3", True)
    finally:
        memory.close()
        memory.unlink()


async def test_cuda_shared_memory_is_refused_with_a_sentence(server):
    """There is none to tell of, and nothing to forget."""
    status, text = await server("CudaSharedMemoryRegister", name="a", raw_handle=b"x", byte_size=1)
    assert (status, "CUDA shared memory" in text) == ("3", True)
    assert not (await server("CudaSharedMemoryStatus")).regions
    assert await server("CudaSharedMemoryUnregister") == oip.CudaSharedMemoryUnregisterResponse()


async def test_trace_settings_are_kept_and_told(server):
    """Of the server and of a model; what is no setting is refused."""
    value = oip.TraceSettingRequest.SettingValue
    await server("TraceSetting", settings={"trace_rate": value(value=["5"])}, model_name="m")
    assert list((await server("TraceSetting", model_name="m")).settings["trace_rate"].value) == ["5"]
    assert list((await server("TraceSetting")).settings["trace_rate"].value) == ["1000"]
    cleared = await server("TraceSetting", settings={"trace_rate": value()}, model_name="m")
    assert list(cleared.settings["trace_rate"].value) == ["1000"]
    assert (await server("TraceSetting", settings={"nothing": value(value=["5"])}))[0] == "3"
    assert (await server("TraceSetting", model_name="nobody"))[0] == "5"


async def test_log_settings_are_kept_and_told(server):
    """Each in its own type."""
    value = oip.LogSettingsRequest.SettingValue
    told = await server("LogSettings", settings={"log_info": value(bool_param=False),
                                                 "log_verbose_level": value(uint32_param=2)})  # fmt: skip
    assert told.settings["log_info"].bool_param is False
    told = (await server("LogSettings")).settings
    assert told["log_verbose_level"].uint32_param == 2
    assert told["log_format"].string_param == "default"
    assert (await server("LogSettings", settings={"nothing": value(bool_param=True)}))[0] == "3"
