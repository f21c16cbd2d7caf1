"""The HTTP door, called without a socket."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
from tests.unit.gateway.conftest import RECORD

from scurry.gateway.admin import Admin
from scurry.wire.errors import error

X = {"name": "x", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 2]}


async def test_an_answer_in_json(call: Any, client: Any) -> None:
    """The protocol's id is echoed and goes no further."""
    reply, told = await call("POST", "/v2/models/m/infer", {"id": "same", "inputs": [X]})
    assert reply.status == 200
    assert told == {"model_name": "m", "model_version": "1", "id": "same", "outputs": [X]}
    assert f"Content-Length: {len(reply.parts[0])}\r\n".encode() in reply.head
    assert "id" not in client.asked[0][2]


async def test_an_answer_in_binary(call: Any) -> None:
    """The header says where the JSON ends, the length where the tensors do."""
    head = orjson.dumps(
        {
            "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}],
            "parameters": {"binary_data_output": True},
        }
    )
    raw = np.array([[1, 2]], np.float32).tobytes()
    header = {"Inference_Header_Content_Length": str(len(head))}
    reply, told = await call("POST", "/v2/models/m/versions/1/infer", head + raw, **header)
    assert told["outputs"][0]["parameters"] == {"binary_data_size": 8}
    assert reply.parts[1] == raw
    assert f"Inference-Header-Content-Length: {len(reply.parts[0])}\r\n".encode() in reply.head
    assert f"\r\nContent-Length: {len(reply.parts[0]) + 8}\r\n".encode() in reply.head


async def test_version_key_and_trace_travel(call: Any, client: Any) -> None:
    """From path, headers and parameters to the client."""
    headers = {"Scurry_Key": "user-7", "traceparent": "00-1-2-01", "X_Scurry_Tenant": "acme"}
    wanted = {"version": "best", "timeout": 30.0, "key": "user-7", "traceparent": "00-1-2-01", "tenant": "acme"}
    for _ in range(2):  # the second is known already
        body = {"inputs": [X], "parameters": {"priority": 2}}
        await call("POST", "/v2/models/m/versions/best/infer", body, **headers)
        model, request, options = client.asked[-1]
        assert (model, len(request.inputs), len(request.parameters)) == ("m", 1, 0)
        assert options == {**wanted, "priority": 2}
    await call("POST", "/v2/models/m/infer", {"inputs": [X]})
    assert (client.asked[-1][2]["priority"], client.asked[-1][2]["tenant"]) == (0, "")


@pytest.mark.parametrize("priority", [-1, "high", 1.5, True, 2**31])
async def test_what_is_no_priority_is_refused(call: Any, priority: object) -> None:
    """Nobody is told yes who asks for what is not there."""
    reply, told = await call("POST", "/v2/models/m/infer", {"inputs": [X], "parameters": {"priority": priority}})
    assert (reply.status, told["code"]) == (400, "bad_request")
    assert "'priority' must be a whole number from 0" in told["error"]


async def test_the_answers_own_version_is_told(call: Any, client: Any) -> None:
    """Whatever was asked for, the reply says who answered."""
    _, told = await call("POST", "/v2/models/m/infer", {"inputs": [X]})
    assert told["model_version"] == "1"


@pytest.mark.parametrize(
    ("code", "status", "retry"),
    [("overloaded", 503, True), ("deadline_exceeded", 504, False), ("model_failed", 500, False)],
)
async def test_an_error_has_a_status_a_sentence_and_a_code(
    call: Any, client: Any, code: str, status: int, retry: bool
) -> None:
    """`error` is Triton's field, `code` ours."""
    client.failure = error(code, "As it is.")
    reply, told = await call("POST", "/v2/models/m/infer", {"inputs": [X]})
    assert reply.status == status
    assert told == {"error": "As it is.", "code": code}
    assert (b"Retry-After: " in reply.head) == retry


@pytest.mark.parametrize(
    ("body", "headers", "code"),
    [
        (b"{", {}, "bad_request"),
        (b"\xff\x00", {}, "bad_request"),
        ({"inputs": None}, {}, "bad_request"),
        ({"outputs": []}, {}, "bad_request"),
        ({"inputs": [X], "id": 7}, {}, "bad_request"),
        ({"inputs": [X | {"shape": [3]}]}, {}, "input_shape"),
        ({"inputs": [X | {"datatype": "FP8"}]}, {}, "input_datatype"),
        ({"inputs": [X]}, {"Inference_Header_Content_Length": "x"}, "bad_request"),
        ({"inputs": [X]}, {"Scurry_Key": "\udcff"}, "bad_request"),
    ],
)
async def test_a_wrong_request_is_not_sent(
    call: Any, client: Any, body: bytes | dict[str, Any], headers: dict[str, str], code: str
) -> None:
    """The job never sees it."""
    reply, told = await call("POST", "/v2/models/m/infer", body, **headers)
    assert (reply.status, told["code"]) == (400, code)
    assert client.asked == []


async def test_a_bug_is_an_error_with_a_code(call: Any, client: Any) -> None:
    """Its text stays in the log."""
    client.failure = RuntimeError("secret")
    reply, told = await call("POST", "/v2/models/m/infer", {"inputs": [X]})
    assert (reply.status, told["code"]) == (500, "internal")
    assert "secret" not in told["error"]


async def test_an_output_that_json_cannot_hold_is_told(call: Any) -> None:
    """Binary would do."""
    head = orjson.dumps(
        {"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "parameters": {"binary_data_size": 5}}]}
    )
    header = {"Inference_Header_Content_Length": str(len(head))}
    reply, told = await call("POST", "/v2/models/m/infer", head + b"\x01\x00\x00\x00\xff", **header)
    assert reply.status == 400
    assert "binary" in told["error"]


@pytest.mark.parametrize("target", ["/v2/models/nobody", "/v2/models/nobody/ready", "/v2/models/a%2Fb/ready"])
async def test_an_unknown_model_is_404(call: Any, target: str) -> None:
    """For metadata as for readiness."""
    reply, told = await call("GET", target)
    assert (reply.status, told["code"]) == (404, "model_not_found")


async def test_an_unknown_version_is_404(call: Any) -> None:
    """With its own code."""
    reply, told = await call("GET", "/v2/models/m/versions/9")
    assert (reply.status, told["code"]) == (404, "version_not_found")


@pytest.mark.parametrize(
    ("target", "status", "ready"),
    [("/v2/models/m/ready", 200, True), ("/v2/models/m/versions/next/ready", 503, False)],
)
async def test_readiness_of_a_model(call: Any, target: str, status: int, ready: bool) -> None:
    """By its version's state."""
    reply, told = await call("GET", target)
    assert reply.status == status
    assert told == {"name": "m", "ready": ready}


async def test_metadata_configuration_and_index(call: Any) -> None:
    """From the registry's view."""
    _, told = await call("GET", "/v2/models/m")
    assert (told["versions"], told["platform"], told["inputs"][0]["shape"]) == (["1"], "onnx", [-1, 2])
    _, told = await call("GET", "/v2/models/m/config")
    assert (told["max_batch_size"], told["input"][0]["dims"]) == (8, [2])
    _, told = await call("POST", "/v2/repository/index")
    assert [one["state"] for one in told] == ["READY", "UNAVAILABLE"]
    _, told = await call("POST", "/v2/repository/index", {"ready": True})
    assert [one["version"] for one in told] == ["1"]


async def test_the_index_is_told_in_pages(call: Any, client: Any) -> None:
    """So many models after a name, in the order of their names; what is no number or name is refused."""
    client.records = dict.fromkeys("cab", RECORD)
    pages = [{"limit": 2}, {"limit": 2, "after": "b"}, {"limit": 2, "after": "c"}, {"limit": 0, "after": "b"}]
    told = [(await call("POST", "/v2/repository/index", page))[1] for page in pages]
    assert [sorted({one["name"] for one in page}) for page in told] == [["a", "b"], ["c"], [], ["c"]]
    for wrong, name in (({"limit": -1}, "limit"), ({"limit": True}, "limit"), ({"limit": 1, "after": 1}, "after")):
        reply, refused = await call("POST", "/v2/repository/index", wrong)
        assert (reply.status, refused["code"]) == (400, "bad_request")
        assert name in refused["error"]


async def test_health_has_a_json_body(call: Any, client: Any) -> None:
    """Live is about us, ready about who is behind us."""
    reply, told = await call("GET", "/v2/health/live")
    assert (reply.status, told) == (200, {"live": True})
    reply, told = await call("GET", "/v2/health/ready")
    assert (reply.status, told) == (200, {"ready": True, "redis": "ok", "job": "ok"})


async def test_not_ready_is_503_and_says_why(call: Any, client: Any) -> None:
    """While live stays 200."""
    client.redis = error("unavailable", "Redis at host:1 does not answer.")
    reply, told = await call("GET", "/v2/health/ready")
    assert reply.status == 503
    assert told["ready"] is False
    assert "host:1" in told["redis"]
    assert (await call("GET", "/v2/health/live"))[0].status == 200


async def test_the_server_tells_its_name(call: Any) -> None:
    """As Triton's clients ask for it."""
    _, told = await call("GET", "/v2")
    assert told["name"] == "scurry"


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [("GET", "/nowhere", 404), ("DELETE", "/v2/models/m/infer", 405), ("GET", "/\udcff", 404)],
)
async def test_other_paths_and_methods_are_told_in_json_too(call: Any, method: str, target: str, status: int) -> None:
    """Nothing here answers in HTML."""
    reply, told = await call(method, target)
    assert (reply.status, told["code"]) == (status, "bad_request")
    assert (b"Allow: POST\r\n" in reply.head) == (status == 405)


async def test_a_change_of_the_registry_goes_as_it_came(call: Any, client: Any) -> None:
    """The registry understands it or says what is wrong; the answer is the model's record."""
    reply, told = await call("POST", "/v2/repository/models/m", b'{"rollback": {}}')
    assert (reply.status, told["aliases"]) == (200, {"best": "1", "next": "2"})
    assert [(update.model, update.json) for update in client.updates] == [("m", '{"rollback": {}}')]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Basic k"}, 401),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"X_Admin_Key": "wrong"}, 403),
        ({"Authorization": "Bearer k"}, 200),
        ({"Authorization": "bearer  k"}, 200),
        ({"X_Admin_Key": "k"}, 200),
    ],
)
async def test_the_admin_key_comes_in_either_header(
    call: Any, client: Any, headers: dict[str, str], status: int
) -> None:
    """401 asks for it, 403 says that it is wrong."""
    call.door._admin = Admin(client, key="k", host="0.0.0.0")
    reply, told = await call("POST", "/v2/repository/models/m", b'{"rollback": {}}', **headers)
    assert reply.status == status
    assert len(client.updates) == (status == 200)
    assert (b"WWW-Authenticate: Bearer\r\n" in reply.head) == (status == 401)
    assert status == 200 or told["code"] in ("not_authenticated", "not_allowed")


async def test_records_are_shown_whole_to_those_who_may_change_them(call: Any, client: Any) -> None:
    """One, all, or a page; to nobody without the key, for they tell files and options."""
    client.records = dict.fromkeys("cab", RECORD)
    assert (await call("GET", "/v2/repository/models/a"))[1] == orjson.loads(orjson.dumps(RECORD))
    told = [(await call("GET", f"/v2/repository/models{query}"))[1] for query in ("", "?limit=2", "?limit=2&after=b")]
    assert [sorted(page) for page in told] == [["a", "b", "c"], ["a", "b"], ["c"]]
    reply, refused = await call("GET", "/v2/repository/models?limit=x")
    assert (reply.status, refused["code"]) == (400, "bad_request")
    assert (await call("GET", "/v2/repository/models/ghost"))[0].status == 404
    call.door._admin = Admin(client, key="k", host="127.0.0.1")
    for target in ("/v2/repository/models", "/v2/repository/models/a"):
        assert (await call("GET", target))[0].status == 401
        assert (await call("GET", target, Authorization="Bearer wrong"))[0].status == 403
        assert (await call("GET", target, Authorization="Bearer k"))[0].status == 200
