"""What a model's requests may take, through the real job: tenants, time-outs, the registry's word on both."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import redis
from onnx import TensorProto, helper, save
from tests.e2e.test_lost_worker import slow_model

from scurry.client.client import Client
from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Stack

WAIT_S = 30
ROW = {"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 1], "data": [1.0]}]}
ONE = {"x": np.ones((1, 1), np.float32)}


def save_negation(path: Path) -> Path:
    """A model."""
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 1]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("Neg", ["x"], ["y"])], "negation", ends[:1], ends[1:])
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return path


def post(url: str, headers: dict[str, str], **parameters: Any) -> tuple[int, dict[str, Any], str | None]:
    """Status, body and Retry-After of one request over HTTP."""
    body = json.dumps({**ROW, "parameters": parameters} if parameters else ROW).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=WAIT_S) as answer:
            return answer.status, json.loads(answer.read()), None
    except urllib.error.HTTPError as failure:
        return failure.code, json.loads(failure.read()), failure.headers["Retry-After"]


def result(client: redis.Redis, request_id: str) -> dict[str, str]:
    """The result of a request sent over Redis, once it is there."""
    end = time.monotonic() + WAIT_S
    while not (found := client.hgetall(f"scurry:result:{request_id}")):
        assert time.monotonic() < end, f"{request_id} has no result"
        time.sleep(0.02)
    return {name.decode(): value.decode(errors="replace") for name, value in found.items()}


async def test_a_tenant_may_send_what_it_is_allowed(stack: Stack, tmp_path: Path) -> None:
    """Two at once, over whatever door; others go on; the refusal is 429, says when, and leaves the id free."""
    stack.register("limits-paid", save_negation(tmp_path / "minus.onnx"))
    stack.run("models", "limits", "limits-paid", "--tenant", "acme=0.001:2", "--max-timeout", "20s")
    record = json.loads(stack.run("models", "show", "limits-paid", "--json").stdout)
    assert record["limits"] == {
        "max_timeout_microseconds": 20_000_000,
        "tenants": {"acme": {"rate": 0.001, "burst": 2}},
    }
    url = f"{stack.http_url}/v2/models/limits-paid/infer"
    async with Client(stack.redis_url) as client:
        assert (await client.infer("limits-paid", ONE, tenant="acme"))["y"].tolist() == [[-1]]
        assert post(url, {"X-Scurry-Tenant": "acme"})[0] == 200
        status, told, retry = post(url, {"X-Scurry-Tenant": "acme"})
        assert (status, told["code"], retry) == (429, "rate_limited", "1")
        with pytest.raises(Unavailable, match="rate_limited"):
            await client.infer("limits-paid", ONE, tenant="acme", id="limits-again")
        assert post(url, {"X-Scurry-Tenant": "other"})[0] == post(url, {})[0] == 200
        stack.run("models", "limits", "limits-paid")
        assert (await client.infer("limits-paid", ONE, tenant="acme", id="limits-again"))["y"].tolist() == [[-1]]
    assert json.loads(stack.run("models", "show", "limits-paid", "--json").stdout)["limits"] == {}


def test_who_names_no_deadline_gets_the_default_and_nobody_more_than_the_most(stack: Stack, tmp_path: Path) -> None:
    """Counted from when Redis took the entry."""
    stack.register("limits-slow", slow_model(tmp_path / "slow.onnx"))
    stack.run("models", "limits", "limits-slow", "--default-timeout", "1ms", "--max-timeout", "2ms")
    body, far = json.dumps(ROW), int(time.time() * 1000) + 60_000
    client = redis.Redis.from_url(stack.redis_url, protocol=2)
    for name, more in (("limits-none", {}), ("limits-far", {"deadline": far})):
        client.xadd("scurry:requests", {"model": "limits-slow", "id": name, "inputs": body, **more})
        assert result(client, name)["error"] == "deadline_exceeded"
    stack.run("models", "limits", "limits-slow", "--default-timeout", "20s")
    client.xadd("scurry:requests", {"model": "limits-slow", "id": "limits-enough", "inputs": body})
    assert result(client, "limits-enough")["status"] == "ok"
    client.close()
