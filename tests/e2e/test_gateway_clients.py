"""curl and an unmodified tritonclient ask real models through the gateway."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

if TYPE_CHECKING:
    from tests.conftest import Stack

MODEL = "gateway-add"
ROW = {"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [1, 2, 3]}


def save_adder(path: Path, amount: float) -> Path:
    """A model that adds a number to each of three."""
    shape = ["n", 3]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "amount"], ["y"])],
        "add",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [helper.make_tensor("amount", TensorProto.FLOAT, [1], [amount])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, path)
    return path


@pytest.fixture(scope="module")
def url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The gateway's address, once versions 1 (adds 1) and 2 (adds 2) are ready."""
    folder = tmp_path_factory.mktemp("adders")
    for version in (1, 2):
        stack.register(MODEL, save_adder(folder / f"add{version}.onnx", version), str(version))
    return stack.http_url


def curl(url: str, body: dict[str, Any] | None = None, *options: str) -> tuple[int, Any]:
    """Status and JSON as curl gets them."""
    if shutil.which("curl") is None:
        pytest.skip("no curl on the PATH")
    data = ["--data-binary", "@-"] if body is not None else []
    command = ["curl", "--silent", "--max-time", "60", "--write-out", "\n%{http_code}", *data, *options, url]
    done = subprocess.run(command, input=json.dumps(body), capture_output=True, text=True, check=True, timeout=90)
    answer, _, code = done.stdout.rpartition("\n")
    return int(code), json.loads(answer)


def test_curl_gets_health_and_metadata(url: str) -> None:
    """All in JSON."""
    assert curl(f"{url}/v2/health/live") == (200, {"live": True})
    assert curl(f"{url}/v2/health/ready") == (200, {"ready": True, "redis": "ok", "job": "ok"})
    assert curl(f"{url}/v2")[1]["name"] == "scurry"
    status, told = curl(f"{url}/v2/models/{MODEL}")
    assert status == 200
    assert told["versions"] == ["1", "2"]
    assert told["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}]


@pytest.mark.parametrize(("path", "version", "data"), [("", "2", [3, 4, 5]), ("/versions/1", "1", [2, 3, 4])])
def test_curl_gets_an_answer(url: str, path: str, version: str, data: list[float]) -> None:
    """Of the newest version, or of the one it names."""
    status, told = curl(f"{url}/v2/models/{MODEL}{path}/infer", {"id": "mine", "inputs": [ROW]})
    output = {"name": "y", "datatype": "FP32", "shape": [1, 3], "data": data}
    assert status == 200
    assert told == {"model_name": MODEL, "model_version": version, "id": "mine", "outputs": [output]}


def test_curl_gets_a_large_answer(url: str) -> None:
    """Large enough to be parked in Redis both ways."""
    numbers = list(range(30_000))
    row = ROW | {"shape": [10_000, 3], "data": numbers}
    status, told = curl(f"{url}/v2/models/{MODEL}/versions/1/infer", {"inputs": [row]})
    assert status == 200
    assert told["outputs"][0]["data"] == [number + 1 for number in numbers]


@pytest.mark.parametrize(
    ("path", "changes", "status", "code"),
    [
        ("nobody", {}, 404, "model_not_found"),
        (f"{MODEL}/versions/9", {}, 404, "version_not_found"),
        (MODEL, {"name": "z"}, 400, "input_name"),
        (MODEL, {"datatype": "INT64"}, 400, "input_datatype"),
        (MODEL, {"shape": [3]}, 400, "input_rank"),
        (MODEL, {"shape": [3, 1]}, 400, "input_shape"),
        (MODEL, {"shape": [2, 3]}, 400, "input_shape"),
    ],
)
def test_curl_gets_an_error_with_a_code(url: str, path: str, changes: dict[str, Any], status: int, code: str) -> None:
    """Whether the gateway, the router or the worker found it."""
    got, told = curl(f"{url}/v2/models/{path}/infer", {"inputs": [ROW | changes]})
    assert (got, told["code"]) == (status, code)
    assert told["error"]


def test_curl_changes_the_registry(url: str) -> None:
    """From this machine, as no key is set; what the registry does not understand, it says."""
    change = f"{url}/v2/repository/models/{MODEL}"
    status, record = curl(change, {"alias": {"alias": "by-http", "version": "1"}})
    assert (status, record["aliases"]["by-http"]) == (200, "1")
    assert curl(f"{url}/v2/models/{MODEL}/versions/by-http/infer", {"inputs": [ROW]})[1]["model_version"] == "1"
    status, told = curl(change, {"alias": {"alias": "by-http"}, "nonsense": {}})
    assert (status, told["code"]) == (400, "bad_request")
    status, told = curl(change, {"rollback": {}}, "--header", "Origin: http://elsewhere.example")
    assert (status, told["code"]) == (403, "not_allowed")


def test_tritonclient_gets_what_the_model_answers(url: str) -> None:
    """Binary and JSON, with and without a version."""
    import tritonclient.http as triton
    from tritonclient.utils import InferenceServerException

    with triton.InferenceServerClient(url.removeprefix("http://")) as server:
        assert server.is_server_live()
        assert server.is_server_ready()
        assert server.is_model_ready(MODEL)
        assert server.is_model_ready(MODEL, "1")
        assert server.get_model_metadata(MODEL)["outputs"][0]["name"] == "y"
        assert {"name": MODEL, "version": "1", "state": "READY", "reason": ""} in server.get_model_repository_index()
        for rows in (1, 5, 10_000):
            value = np.random.default_rng(rows).random((rows, 3), dtype=np.float32)
            for binary in (True, False):
                given = triton.InferInput("x", [rows, 3], "FP32")
                given.set_data_from_numpy(value, binary_data=binary)
                wanted = triton.InferRequestedOutput("y", binary_data=binary)
                result = server.infer(MODEL, [given], outputs=[wanted], request_id="7")
                np.testing.assert_array_equal(result.as_numpy("y"), value + np.float32(2))
                assert result.get_response()["id"] == "7"
                result = server.infer(MODEL, [given], model_version="1")
                np.testing.assert_array_equal(result.as_numpy("y"), value + np.float32(1))
        with pytest.raises(InferenceServerException) as caught:
            server.infer("nobody", [given])
        assert caught.value.status() == "404"
