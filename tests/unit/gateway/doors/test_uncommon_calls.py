"""Raw bodies, shared memory and classes, called through the door without a socket."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from tests.unit.gateway.conftest import RECORD, Caller, FakeClient

from scurry.gateway.doors import uncommon_calls
from scurry.gateway.doors.uncommon_calls import is_uncommon
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.server_settings import ServerSettings
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import SharedMemory
from scurry.wire.tensors import to_array

INFER = "/v2/models/m/infer"
X = {"name": "x", "shape": [1, 2], "datatype": "FP32"}
VALUES = np.array([[1, 2]], np.float32)


@pytest.fixture
def memory(tmp_path: Path, call: Caller) -> SharedMemory:
    """The door's, with a region `r` of 16 bytes that begins with the values."""
    (tmp_path / "k").write_bytes(VALUES.tobytes() + bytes(8))
    memory = SharedMemory(OwnNotes(), allowed=True, folder=tmp_path)
    memory.register("r", "/k", 0, 16)
    call.open(ServerState(memory, ServerSettings()))
    return memory


def place(size: int = 8, offset: int = 0, region: str = "r") -> dict[str, Any]:
    """Parameters that name a piece of the region."""
    found = {"shared_memory_region": region, "shared_memory_byte_size": size}
    return {"parameters": found | ({"shared_memory_offset": offset} if offset else {})}


async def test_an_input_is_read_and_an_output_written(call: Any, client: FakeClient, memory: SharedMemory) -> None:
    """The answer says where it is, and not what."""
    body = {"inputs": [X | place()], "outputs": [{"name": "x"} | place(8, 8)]}
    for _ in range(2):  # nothing of it is remembered
        reply, told = await call("POST", INFER, body)
        assert reply.status == 200, told
        assert told["outputs"] == [X | place(8, 8)]
        assert memory.read("r", 8, 8) == memory.read("r", 0, 8)
        memory.write("r", 0, (VALUES + len(client.asked)).tobytes())
    assert to_array(client.asked[-1][1].inputs[0]).tolist() == [[2, 3]]


async def test_what_is_large_is_read_and_written_beside_the_loop(
    call: Any, memory: SharedMemory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And counts as much as a body of its size."""
    count = 100_000
    with (tmp_path / "big").open("wb") as file:
        file.truncate(8 * count)
    memory.register("big", "/big", 0, 8 * count)
    memory.write("big", 0, np.ones(count, np.float32).tobytes())
    big = X | {"shape": [count // 2, 2]}
    body = {"inputs": [big | place(4 * count, region="big")],
            "outputs": [{"name": "x"} | place(4 * count, 4 * count, "big")]}  # fmt: skip
    taken: list[int] = []
    monkeypatch.setattr(uncommon_calls, "COPIES", 3)
    admission = call.admission
    take = admission.take
    monkeypatch.setattr(admission, "take", lambda size: (taken.append(size), take(size)))
    reply, told = await call("POST", INFER, body)
    assert reply.status == 200, told
    assert 12 * count in taken
    assert memory.read("big", 4 * count, 4 * count) == memory.read("big", 0, 4 * count)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"inputs": [X | place(region="nobody")]}, 400),
        ({"inputs": [X | place(8, 9)]}, 400),
        ({"inputs": [X | place(12)]}, 400),
        ({"inputs": [X | place() | {"data": [1, 2]}]}, 400),
        ({"inputs": [X | {"parameters": {"shared_memory_region": "r"}}]}, 400),
        ({"inputs": [X | place()], "outputs": [{"name": "x"} | place(4, 8)]}, 400),
        ({"inputs": [X | place()], "outputs": [{"name": "x"} | place(8, 12)]}, 400),
        ({"inputs": [X | place(2**62)]}, 413),
    ],
)
async def test_what_lies_nowhere_is_refused(call: Any, memory: SharedMemory, body: dict[str, Any], status: int) -> None:
    """And nothing is written."""
    reply, told = await call("POST", INFER, body)
    assert (reply.status, "error" in told) == (status, True)
    assert memory.read("r", 8, 8) == bytes(8)


async def test_a_web_page_reads_no_shared_memory(call: Any, memory: SharedMemory) -> None:
    """Nor has it written."""
    for body in ({"inputs": [X | place()]}, {"inputs": [X | {"data": [1, 2]}], "outputs": [{"name": "x"} | place()]}):
        reply, told = await call("POST", INFER, body, Origin="http://elsewhere.example")
        assert (reply.status, told["code"]) == (403, "not_allowed")


async def test_a_name_that_is_spelt_otherwise_reads_nothing(call: Any, memory: SharedMemory) -> None:
    """JSON lets callers write any character as a number."""
    body = orjson.dumps({"inputs": [X | place()]}).replace(b"shared_memory_region", b"shared\\u005fmemory_region")
    reply, told = await call("POST", INFER, body)
    assert reply.status == 400
    assert "no shared memory is read here" in told["error"]


async def test_a_body_without_json_is_the_input(call: Any, client: FakeClient) -> None:
    """Its answer is binary as well."""
    reply, told = await call("POST", INFER, VALUES.tobytes(), Inference_Header_Content_Length="0")
    assert told["outputs"] == [X | {"parameters": {"binary_data_size": 8}}]
    assert reply.parts[1] == VALUES.tobytes()


async def test_a_raw_body_of_a_model_that_is_not_there_or_not_ready(call: Any, client: FakeClient) -> None:
    """What it takes is not known."""
    header = {"Inference_Header_Content_Length": "0"}
    assert (await call("POST", "/v2/models/nobody/infer", b"1234", **header))[0].status == 404
    assert (await call("POST", "/v2/models/m/versions/2/infer", b"1234", **header))[0].status == 503


async def test_the_largest_classes_are_told(call: Any, client: FakeClient) -> None:
    """In JSON and in binary, as often as they are asked for."""
    client.records = {"m": RECORD | {"versions": [RECORD["versions"][0] | {"config": {"labels": ["cat", "dog"]}}]}}
    for binary in (False, True, False, True):
        wanted = [{"name": "x", "parameters": {"classification": 1, "binary_data": binary}}]
        reply, told = await call("POST", INFER, {"inputs": [X | {"data": [0.5, 2]}], "outputs": wanted})
        assert (told["outputs"][0]["datatype"], told["outputs"][0]["shape"]) == ("BYTES", [1, 1])
        text = reply.parts[1][4:].decode() if binary else told["outputs"][0]["data"][0]
        assert text == "2.000000:1:dog"


@pytest.mark.parametrize(
    ("body", "header", "uncommon"),
    [
        (b"1234", "0", True), (b"", None, False), (b'{"inputs": []}', None, False),
        (b'"shared_memory_region"', None, True), (b'{}"shared_memory_region"', "2", False),
    ],
)  # fmt: skip
def test_what_is_common_is_told_by_its_json(body: bytes, header: str | None, uncommon: bool) -> None:
    """Tensors may hold any bytes."""
    assert is_uncommon(body, header, len(body) if header is None else int(header)) == uncommon
