"""curl and Python's own HTTP client ask a real model in TensorFlow Serving's words."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from tests.conftest import ROOT
from tests.e2e.test_gateway_clients import curl, save_adder

if TYPE_CHECKING:
    from tests.conftest import Stack

MODEL = "tf-add"
PAGE = (ROOT / "docs" / "tensorflow-serving.md").read_text()


@pytest.fixture(scope="module")
def url(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The gateway's address, once versions 1 (adds 1) and 2 (adds 2) are ready, and a label for the first."""
    folder = tmp_path_factory.mktemp("tf")
    for version in (1, 2):
        stack.register(MODEL, save_adder(folder / f"add{version}.onnx", version), str(version))
    stack.run("models", "alias", MODEL, "stable", "1")
    return stack.http_url


@pytest.mark.parametrize(
    ("path", "body", "answer"),
    [
        (":predict", {"instances": [[1, 2, 3]]}, {"predictions": [[3.0, 4.0, 5.0]]}),
        ("/versions/1:predict", {"inputs": {"x": [[1, 2, 3]]}}, {"outputs": [[2.0, 3.0, 4.0]]}),
        ("/labels/stable:predict", {"instances": [{"x": [1, 2, 3]}]}, {"predictions": [[2.0, 3.0, 4.0]]}),
        ("/labels/stable:classify", {"examples": [{"x": [1, 2, 3]}]}, {"results": [[["", 2.0], ["", 3.0], ["", 4.0]]]}),
    ],
)
def test_a_model_answers(url: str, path: str, body: dict[str, Any], answer: dict[str, Any]) -> None:
    """In the form that it was asked in, by the version or label that was named."""
    assert curl(f"{url}/v1/models/{MODEL}{path}", body) == (200, answer)


def test_a_large_answer(url: str) -> None:
    """Large enough to be parked in Redis both ways, and to be read and written off the loop."""
    rows = [[float(number), 0.5, 1.5] for number in range(30_000)]
    status, told = curl(f"{url}/v1/models/{MODEL}/versions/1:predict", {"instances": rows})
    assert status == 200
    assert told == {"predictions": [[one + 1 for one in row] for row in rows]}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nobody:predict", {"instances": [1]}, 404, "model_not_found"),
        (f"{MODEL}/versions/9:predict", {"instances": [[1, 2, 3]]}, 404, "version_not_found"),
        (f"{MODEL}/labels/2:predict", {"instances": [[1, 2, 3]]}, 404, "version_not_found"),
        (f"{MODEL}:predict", {"instances": [1, 2, 3]}, 400, "input_rank"),
        (f"{MODEL}:predict", {"instances": [[1, 2]]}, 400, "input_shape"),
        (f"{MODEL}:predict", {"inputs": {"z": [[1, 2, 3]]}}, 400, "input_name"),
        (f"{MODEL}:regress", {"examples": [{"x": [1, 2, 3]}]}, 400, "bad_request"),
    ],
)
def test_errors(url: str, path: str, body: dict[str, Any], status: int, code: str) -> None:
    """Whether the gateway, the router or the worker found it; the sentence names what is wrong."""
    got, told = curl(f"{url}/v1/models/{path}", body)
    assert (got, told["code"]) == (status, code)
    assert told["error"]


def test_what_is_wrong_does_not_end_the_connection(url: str) -> None:
    """One connection: refused, answered, refused, answered, over both doors."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)
    tensor = b'{"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": [NaN]}]}'
    try:
        for path, body, status in (
            (f"/v1/models/{MODEL}:predict", b"{", 400),
            (f"/v1/models/{MODEL}:predict", b'{"instances": [[NaN, 1, 2]]}', 200),
            (f"/v2/models/{MODEL}/infer", tensor, 400),
            (f"/v2/models/{MODEL}/infer", tensor.replace(b"NaN", b'"NaN", 1, 2'), 200),
            ("/v1/what", b"", 404),
            (f"/v1/models/{MODEL}:predict", b'{"instances": [[Infinity, 1, 2]]}', 200),
        ):
            connection.request("POST", path, body)
            reply = connection.getresponse()
            assert reply.status == status, reply.read()
            assert reply.read()
    finally:
        connection.close()


def test_every_command_of_the_page(url: str) -> None:
    """Each curl of docs/tensorflow-serving.md prints what the page says it does."""
    blocks = re.findall(r"```sh\n(curl [^`]+?)\n```\n+```json\n(.+?)\n```", PAGE, re.DOTALL)
    assert len(blocks) >= 6
    for command, answer in blocks:
        there = command.replace("http://localhost:8000", url).replace("/adder", f"/{MODEL}")
        shell = ["bash", "-c", f"{there} --silent --max-time 60"]
        done = subprocess.run(shell, capture_output=True, text=True, check=True)
        wanted = json.loads(answer.replace('"adder"', f'"{MODEL}"'))
        assert json.loads(done.stdout) == wanted, command
