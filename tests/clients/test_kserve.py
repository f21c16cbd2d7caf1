"""KServe's unmodified Python SDK gets right answers over v1, v2 and gRPC."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.clients.environments import client_program
from tests.conftest import Stack
from tests.e2e.test_gateway_clients import save_adder

MODEL = "kserve-add"
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def running(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack, once there is a model that adds 1."""
    client_program("kserve")
    stack.register(MODEL, save_adder(tmp_path_factory.mktemp("kserve") / "add.onnx", 1))
    return stack


def told(script: str, *args: str) -> Any:
    """What a script says that runs in the client's environment."""
    command = [client_program("kserve"), str(HERE / script), *args]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_the_rest_client(running: Stack) -> None:
    """Over v1 and v2: health, readiness, inference in JSON and binary, errors with our sentence."""
    got = told("kserve_rest.py", running.http_url, MODEL)
    assert [got[name] for name in ("v1 live", "v1 ready", "v2 live", "v2 ready", "v2 model ready")] == [True] * 5
    assert got["v2 unknown"] is False
    assert got["v1 rows"] == {"predictions": [[2.0, 3.0, 4.0]]}
    assert got["v1 columns"] == {"outputs": [[2.0, 3.0, 4.0]]}
    assert "'nobody' is not found" in got["v1 unknown"]
    assert "404" in got["v1 unknown"]
    assert "Tensor 'x' has an element that is no FP32" in got["v1 wrong"]
    assert "not explained here" in got["v1 explain"]
    for binary in (False, True):
        assert got[f"v2 binary {binary}"] == ["7", "y", [[2.0, 3.0, 4.0]]]


def test_the_grpc_client(running: Stack) -> None:
    """The same through the gRPC door."""
    got = told("kserve_grpc.py", running.info["grpc_url"].removeprefix("grpc://"), MODEL)
    assert (got["live"], got["ready"], got["model ready"], got["unknown"]) == (True, True, True, False)
    assert got["infer"] == ["7", "y", [[2.0, 3.0, 4.0]]]
