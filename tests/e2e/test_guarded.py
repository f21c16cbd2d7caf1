"""`scurry up` behind keys and TLS: ready, asked by an unmodified tritonclient, loaded, stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.certificates import Authority
from tests.conftest import Stack
from tests.e2e.test_gateway_clients import MODEL, save_adder

KEY, READER, OPS = "key-of-the-build-machine", "key-of-one-who-reads", "key-of-the-operators"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Authority]]:
    """Two gateways, which know three keys."""
    folder = tmp_path_factory.mktemp("guarded")
    authority = Authority(folder)
    cert, private = authority.sign("server")
    (folder / "keys").write_text(f"ci {KEY} infer,read\nreader {READER} read models=other*\nops {OPS} admin\n")
    stack = Stack(
        folder / "up", "--workers", "1", "--gateways", "2", "--api-keys", str(folder / "keys"),
        "--tls-cert", cert, "--tls-key", private,
    )  # fmt: skip
    try:
        stack.register(MODEL, save_adder(folder / "add.onnx", 1))
        yield stack, authority
    finally:
        stack.stop()


def test_a_triton_client_shows_its_key_over_tls(guarded: tuple[Stack, Authority]) -> None:
    """In a process of its own; without the key, or with another's, it is refused with a status."""
    stack, authority = guarded
    script = f"""
import json, sys
import numpy as np, tritonclient.http as triton
from tritonclient.utils import InferenceServerException
url, ca = sys.argv[1:]
server = triton.InferenceServerClient(url, ssl=True, ssl_options={{"ca_certs": ca}})
given = triton.InferInput("x", [1, 3], "FP32")
given.set_data_from_numpy(np.array([[1, 2, 3]], np.float32))
told = {{"live": server.is_server_live()}}
keys = (("none", {{}}), ("reader", {{"X-API-Key": "{READER}"}}), ("ops", {{"Authorization": "Bearer {OPS}"}}))
for name, headers in keys:
    try:
        server.infer("{MODEL}", [given], headers=headers)
    except InferenceServerException as refused:
        told[name] = refused.status()
told["sum"] = server.infer("{MODEL}", [given], headers={{"Authorization": "Bearer {KEY}"}}).as_numpy("y").tolist()
print(json.dumps(told))
"""
    command = [sys.executable, "-c", script, stack.http_url.removeprefix("https://"), str(authority.file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "live": True, "none": "401", "reader": "403", "ops": "403", "sum": np.array([[2.0, 3, 4]]).tolist(),
    }  # fmt: skip


def test_it_is_loaded_and_looked_at(guarded: tuple[Stack, Authority]) -> None:
    """`scurry bench` and `scurry status` speak TLS."""
    stack, authority = guarded
    assert stack.http_url.startswith("https://")
    flags = ["--door", "http", "--url", stack.http_url, "--tls-ca", str(authority.file), "--api-key", KEY]
    done = stack.run("bench", MODEL, *flags, "--callers", "8", "--seconds", "1", "--warm-up", "0.5", "--json")
    (row,) = json.loads(done.stdout)
    assert row["answered"] > 0
    wrong = [*flags[:-1], "another-key", "--callers", "1", "--seconds", "0.2"]
    assert stack.run("bench", MODEL, *wrong, check=False).returncode == 1
    status = json.loads(stack.run("status", "--dir", str(stack.dir), "--json").stdout)
    assert status["ready"]


def test_it_stops_in_peace(tmp_path: Path, guarded: tuple[Stack, Authority]) -> None:
    """Last: with status 0, and no trace of a fault in the gateways' logs."""
    stack, _ = guarded
    assert stack.stop() == 0
    logs = "".join(path.read_text() for path in (stack.dir / "logs").glob("gateway*"))
    assert logs
    assert "Traceback" not in logs
    assert KEY not in logs
