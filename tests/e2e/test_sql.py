"""Flink SQL asks a model: by a function in Python, and what its provider for Triton sends."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from tests.conftest import ROOT, Stack
from tests.doubling import save_double

PYTHON = ROOT / ".build/sql/bin/python"


@pytest.mark.skipif(not PYTHON.exists(), reason=f"{PYTHON} is missing: .ci/setup sql makes it")
def test_one_statement_over_a_file(tmp_path: Path) -> None:
    """Every row is answered as the classifier itself answers it, by a real Flink."""
    done = subprocess.run(
        [sys.executable, "-m", "examples.sql", "--quick", "--out", str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=400, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((tmp_path / "sql.json").read_text()) == {"flowers": 30, "wrong": {"python": 0}}
    assert "… 30 rows in all" in done.stdout


@pytest.mark.parametrize("compressed", [False, True])
def test_what_the_provider_of_flink_sends_is_answered(stack: Stack, tmp_path: Path, compressed: bool) -> None:
    """A row in each request, the version in the path, one output named; the answer is plain JSON."""
    file = save_double(tmp_path / "rows.onnx", width=4)
    stack.run("models", "register", "sqlrows", "--uri", str(file), "--version", "1")
    body = json.dumps({
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [5.1, 3.5, 1.4, 0.2]}],
        "outputs": [{"name": "y"}],
    }).encode()  # fmt: skip
    headers = {"Content-Type": "application/json; charset=utf-8", "Authorization": "Bearer nobody-asks"}
    if compressed:
        body, headers["Content-Encoding"] = gzip.compress(body), "gzip"
    url = f"{stack.http_url}/v2/models/sqlrows/versions/1/infer"
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as answer:
        told = json.load(answer)
    ((name, data),) = [(each["name"], each["data"]) for each in told["outputs"]]
    assert name == "y"
    assert data == pytest.approx([10.2, 7.0, 2.8, 0.4])
