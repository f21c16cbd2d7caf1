"""Triton's gRPC clients, unmodified: every call of their public API, as the table in docs/clients.md says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.grpc.aio
from tests.clients.conftest import run_json
from tests.clients.environments import client_program
from tests.clients.triton_grpc import CALLS, LOCAL, public
from tests.conftest import ROOT, Stack
from tritonclient.grpc import InferInput, InferRequestedOutput

CLIENTS = {"sync": tritonclient.grpc.InferenceServerClient, "aio": tritonclient.grpc.aio.InferenceServerClient}


def documented() -> dict[str, str]:
    """What the table says of each call over gRPC."""
    text = (ROOT / "docs" / "clients.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|\n ").split("|")] for line in text.splitlines() if line[:3] == "| `"]
    return {row[0].strip("`"): row[2] for row in rows if re.fullmatch(r"`[a-z_]+`", row[0]) and row[2] != "–"}


def address_of(stack: Stack) -> str:
    """Where gRPC is served."""
    return str(stack.info["grpc_url"]).removeprefix("grpc://")


def test_every_call_of_the_clients_stands_in_the_table() -> None:
    """A call that a newer client brings is not forgotten, and none is told of that there is not."""
    every = {name for kind in CLIENTS.values() for name in public(kind)} - LOCAL
    assert every == documented().keys() == CALLS.keys()


@pytest.mark.parametrize("environment", ["ours", "triton"])
@pytest.mark.parametrize("kind", CLIENTS)
def test_every_call_does_what_the_table_says(triton_stack: Stack, environment: str, kind: str) -> None:
    """It answers, or is refused with the sentence that stands there; of this client's newest version, and of 2.51."""
    python = sys.executable if environment == "ours" else client_program(environment)
    found = run_json(python, "triton_grpc.py", address_of(triton_stack), kind)
    told = documented()
    for name, outcome in found.items():
        if name in LOCAL:
            continue
        if told[name] == "yes":
            assert outcome == "answers", f"{name}: {outcome}"
        else:
            sentence = told[name].removeprefix("refused: ").strip("“”")
            assert outcome.startswith("refused StatusCode.INVALID_ARGUMENT"), f"{name}: {outcome}"
            assert sentence in outcome, f"{name}: {outcome}"


def test_two_hundred_megabytes_are_answered(triton_stack: Stack) -> None:
    """The limit is what `scurry up` was told."""
    rows = 100 * 1024 * 1024 // 16
    values = np.random.default_rng(0).integers(-60, 60, (rows, 16)).astype(np.int8)
    ones = np.ones((rows, 16), np.int8)
    given = [InferInput(name, [rows, 16], "INT8") for name in ("INPUT0", "INPUT1")]
    given[0].set_data_from_numpy(values)
    given[1].set_data_from_numpy(ones)
    with tritonclient.grpc.InferenceServerClient(address_of(triton_stack)) as client:
        result = client.infer("simple_int8", given, outputs=[InferRequestedOutput("OUTPUT0")])
    np.testing.assert_array_equal(result.as_numpy("OUTPUT0"), values + ones)


def test_our_messages_and_tritons_are_in_one_process() -> None:
    """Whoever imports scurry has no package `inference` in protobuf's pool but Triton's own."""
    program = (
        "import scurry.protocols.oip_pb2 as ours, scurry.gateway.doors.grpc\n"
        "from google.protobuf import descriptor_pool\n"
        "pool = descriptor_pool.Default()\n"
        "try:\n    pool.FindMessageTypeByName('inference.ModelInferRequest')\n    raise SystemExit('it is there')\n"
        "except KeyError:\n    pass\n"
        "import tritonclient.grpc\nfrom tritonclient.grpc import service_pb2 as theirs\n"
        "sent = theirs.ModelInferRequest(model_name='m', raw_input_contents=[b'x']).SerializeToString()\n"
        "assert ours.ModelInferRequest.FromString(sent).model_name == 'm'\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("way", [("-i", "http"), ("-i", "grpc"), ("-i", "grpc", "--streaming")], ids=" ".join)
def test_perf_analyzer_measures(triton_stack: Stack, way: tuple[str, ...]) -> None:
    """Triton's own load generator, over each door."""
    folder = Path(client_program("triton")).parent
    program = folder / "perf_analyzer"
    libraries = [str(one) for one in folder.parent.glob("lib/python*/site-packages/nvidia/cuda_runtime/lib")]
    environment = os.environ | {"LD_LIBRARY_PATH": os.pathsep.join((*libraries, os.environ.get("LD_LIBRARY_PATH", "")))}
    if not program.exists() or shutil.which("ldd") is None:
        pytest.skip("the client triton has no perf_analyzer here")
    missing = subprocess.run(["ldd", program], capture_output=True, text=True, env=environment, check=False).stdout
    if "not found" in missing:
        lacking = [line.split()[0] for line in missing.splitlines() if "not found" in line]
        pytest.skip(f"perf_analyzer lacks {', '.join(lacking)} (in Debian: libb64-0d)")
    url = triton_stack.http_url.removeprefix("http://") if "http" in way else address_of(triton_stack)
    short = ["--concurrency-range", "4:4", "--measurement-mode", "count_windows", "--measurement-request-count", "50"]
    unsteady = ["-s", "999"]  # how steady a busy machine is, is not what is tested
    command = [program, "-m", "simple", "-u", url, *short, *unsteady, *way]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False, timeout=120)
    assert re.search(r"Request count: [1-9]", done.stdout), done.stdout + done.stderr
