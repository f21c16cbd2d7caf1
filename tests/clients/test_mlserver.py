"""MLServer's own command, `mlserver infer`, sends a file of requests and gets every answer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from tests.clients.environments import client_program
from tests.conftest import Stack
from tests.e2e.test_gateway_clients import save_adder

MODEL = "mlserver-add"


def test_a_file_of_requests(stack: Stack, tmp_path: Path) -> None:
    """Each line a request, several at a time, with and without micro-batches of its own."""
    program = client_program("mlserver", "mlserver")
    stack.register(MODEL, save_adder(tmp_path / "add.onnx", 1))
    rows = [[float(number), 0.5, -1.0] for number in range(40)]
    lines = [
        json.dumps({"inputs": [{"name": "x", "shape": [1, 3], "datatype": "FP32", "data": row}]}) for row in rows
    ]
    given, made = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    given.write_text("\n".join(lines) + "\n")
    for size in ("1", "5"):
        command = [
            program, "infer", "-u", stack.http_url.removeprefix("http://"), "-m", MODEL, "-i", str(given),
            "-o", str(made), "-w", "4", "-s", size,
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, cwd=tmp_path)
        assert done.returncode == 0, done.stderr[-3000:]
        answers = [json.loads(line) for line in made.read_text().splitlines()]
        assert len(answers) == len(rows)
        data = sorted(answer["outputs"][0]["data"] for answer in answers)
        assert data == sorted([[one + 1 for one in row] for row in rows])
        made.unlink()
