"""Triton's extensions, called through the door without a socket."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.gateway.conftest import Caller, FakeClient

from scurry.gateway.doors.extensions import OPERATIONS
from scurry.gateway.doors.paths import operation_of
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.server_settings import LOG, TRACE, ServerSettings
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import SharedMemory


@pytest.fixture
def shm(tmp_path: Path, call: Caller) -> Path:
    """The door's shared memory lies here, with one object, `/k`, of 16 bytes."""
    (tmp_path / "k").write_bytes(bytes(range(16)))
    memory = SharedMemory(OwnNotes(), allowed=True, folder=tmp_path)
    call.open(ServerState(memory, ServerSettings()))
    return tmp_path


async def test_statistics_of_all_models_of_one_and_of_a_version(call: Any) -> None:
    """Under Triton's name."""
    for target in ("/v2/models/stats", "/v2/models/m/stats/", "/v2/models/m/versions/best/stats"):
        reply, told = await call("GET", target)
        assert (reply.status, [(one["name"], one["version"]) for one in told["model_stats"]]) == (200, [("m", "1")])
    assert (await call("GET", "/v2/models/nobody/stats"))[0].status == 404
    assert (await call("GET", "/v2/models/m/versions/9/stats"))[0].status == 404
    assert (await call("POST", "/v2/models/m/stats"))[0].status == 405


async def test_load_and_unload_are_messages_to_the_registry(call: Any, client: FakeClient) -> None:
    """Trailing slash or not, body or not."""
    assert (await call("POST", "/v2/repository/models/m/load"))[1] == {}
    body = {"parameters": {"unload_dependents": False}}
    assert (await call("POST", "/v2/repository/models/m/unload/", body))[1] == {}
    assert [json.loads(update.json) for update in client.updates] == [
        {"load": {"version": "1"}}, {"load": {"version": "2"}}, {"unload": {"version": "1", "force": True}},
    ]  # fmt: skip


@pytest.mark.parametrize("act", ["load", "unload"])
async def test_load_and_unload_need_the_rights_of_a_change(call: Any, client: FakeClient, act: str) -> None:
    """No web page has them."""
    reply, told = await call("POST", f"/v2/repository/models/m/{act}", Origin="http://elsewhere.example")
    assert (reply.status, told["code"]) == (403, "not_allowed")
    assert client.updates == []


async def test_what_cannot_be_loaded_is_told_in_tritons_words(call: Any) -> None:
    """With a 400."""
    reply, told = await call("POST", "/v2/repository/models/nobody/load")
    assert reply.status == 400
    assert told["error"].startswith("failed to load 'nobody', failed to poll from model repository")


async def test_settings_of_traces_and_logs(call: Any) -> None:
    """GET tells them, POST changes some."""
    assert (await call("GET", "/v2/trace/setting"))[1] == TRACE
    assert (await call("POST", "/v2/trace/setting", {"trace_rate": "5"}))[1] == TRACE | {"trace_rate": "5"}
    assert (await call("GET", "/v2/models/m/trace/setting", b"{}"))[1]["trace_rate"] == "5"
    assert (await call("POST", "/v2/models/m/trace/setting", {"trace_rate": "6"}))[1]["trace_rate"] == "6"
    assert (await call("GET", "/v2/trace/setting"))[1]["trace_rate"] == "5"
    assert (await call("GET", "/v2/models/nobody/trace/setting"))[0].status == 404
    assert (await call("POST", "/v2/logging", {"log_verbose_level": 1}))[1] == LOG | {"log_verbose_level": 1}
    assert (await call("GET", "/v2/logging"))[1] == LOG | {"log_verbose_level": 1}
    assert (await call("POST", "/v2/logging", {"colour": 1}))[0].status == 400


async def test_shared_memory_is_registered_told_and_forgotten(call: Any, shm: Path) -> None:
    """By Triton's paths."""
    base = "/v2/systemsharedmemory"
    region = {"name": "a b", "key": "/k", "offset": 4, "byte_size": 8}
    body = {"key": "/k", "offset": 4, "byte_size": 8}
    assert (await call("POST", f"{base}/region/a%20b/register", body))[1] == {}
    assert (await call("GET", f"{base}/status"))[1] == [region] == (await call("GET", f"{base}/region/a%20b/status"))[1]
    assert (await call("GET", f"{base}/region/c/status"))[0].status == 400
    assert (await call("POST", f"{base}/region/a%20b/unregister"))[1] == {}
    assert (await call("GET", f"{base}/status"))[1] == []
    assert (await call("POST", f"{base}/region/a/register", body))[0].status == 200
    assert (await call("POST", f"{base}/unregister"))[1] == {}
    assert (await call("GET", f"{base}/status"))[1] == []


@pytest.mark.parametrize(
    "body", [{}, {"key": 7, "byte_size": 1}, {"key": "/k"}, {"key": "/k", "byte_size": "1"},
             {"key": "/k", "byte_size": 1, "offset": -1}, {"key": "/../etc/passwd", "byte_size": 1}, b"["]
)  # fmt: skip
async def test_what_is_no_region_is_refused(call: Any, shm: Path, body: Any) -> None:
    """With a sentence."""
    reply, told = await call("POST", "/v2/systemsharedmemory/region/r/register", body)
    assert (reply.status, told["code"]) == (400, "bad_request")


async def test_a_web_page_has_no_shared_memory(call: Any, shm: Path) -> None:
    """Though it is looked at on this machine."""
    for path in ("region/r/register", "region/r/unregister", "unregister"):
        reply, _ = await call("POST", f"/v2/systemsharedmemory/{path}", b"", Origin="http://elsewhere.example")
        assert reply.status == 403


async def test_there_is_no_cuda_shared_memory(call: Any) -> None:
    """To forget all of it is no mistake: Triton's examples begin so."""
    assert (await call("GET", "/v2/cudasharedmemory/status"))[1] == []
    assert (await call("POST", "/v2/cudasharedmemory/unregister"))[1] == {}
    for method, act in (("POST", "register"), ("GET", "status")):
        reply, told = await call(method, f"/v2/cudasharedmemory/region/r/{act}")
        assert reply.status == 400
        assert "CUDA shared memory is not supported" in told["error"]


def test_every_operation_has_a_path() -> None:
    """None is left that nobody can ask for."""
    targets = [f"/v2/{kind}sharedmemory/{act}" for kind in ("system", "cuda") for act in ("register", "unregister")]
    named = {operation_of("POST", target).name for target in targets}
    named |= {operation_of("POST", f"/v2/repository/models/m/{act}").name for act in ("load", "unload")}
    reads = ("systemsharedmemory/status", "cudasharedmemory/status", "models/stats", "logging", "trace/setting")
    assert named | {operation_of("GET", f"/v2/{path}").name for path in reads} == OPERATIONS
