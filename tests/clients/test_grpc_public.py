"""gRPC's own packages for health checks and reflection, unmodified, find a gateway and are told."""

from __future__ import annotations

import pytest
from tests.clients.conftest import run_json
from tests.clients.environments import client_program
from tests.conftest import Stack
from tests.e2e.test_gateway_clients import save_adder

from scurry.protocols.grpc_services import NAMES

MODEL = "grpc-public-add"


@pytest.fixture(scope="module")
def running(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack, once there is a model that adds 1."""
    client_program("grpc")
    stack.register(MODEL, save_adder(tmp_path_factory.mktemp("grpc") / "add.onnx", 1))
    return stack


def test_health_and_reflection(running: Stack) -> None:
    """Statuses of gateway and model; services, and a model that is asked by what these tell, twice under one key."""
    address = str(running.info["grpc_url"]).removeprefix("grpc://")
    got = run_json(client_program("grpc"), "grpc_public.py", address, MODEL)
    assert got["checked"] == {
        "": "SERVING", "inference.GRPCInferenceService": "SERVING", MODEL: "SERVING", "nobody": "NOT_FOUND",
    }  # fmt: skip
    assert got["watched"] == "SERVING"
    assert got["services"] == sorted(NAMES)
    assert got["answers"] == [[2.0, 3.0, 4.0]] * 2
