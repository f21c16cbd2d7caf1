"""Models as the chart's Job declares them: through a gateway, with nobody reaching Redis."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.conftest import Stack, clean_environment
from tests.e2e.test_up import answer, save_model

KEY = "an admin key of 16"


def apply(stack: Stack, folder: Path, names: list[str], key: str = KEY) -> subprocess.CompletedProcess[str]:
    """Run what the Job runs, on a file that declares these models; it is told no address of Redis."""
    declared = {"versions": [{"version": "1", "uri": str(folder / "2.onnx"), "runtime": "onnx"}]}
    (folder / "models.json").write_text(json.dumps({"scurry": 1, "models": dict.fromkeys(names, declared)}))
    (folder / "key").write_text(key + "\n")
    words = ["models", "apply", str(folder / "models.json"), "--yes", "--prune"]
    env = clean_environment() | {"SCURRY_URL": stack.http_url, "SCURRY_ADMIN_KEY_FILE": str(folder / "key")}
    command = [sys.executable, "-m", "scurry", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=90, env=env, check=False)


def test_what_is_declared_is_ready_and_what_is_not_is_unregistered(tmp_path: Path) -> None:
    """A model is answered once the Job has ended; taken out of the file, it is gone; a wrong key changes nothing."""
    save_model(tmp_path / "2.onnx", 2)
    stack = Stack(tmp_path / "stack", env={"SCURRY_ADMIN_KEY": KEY})
    try:
        first = apply(stack, tmp_path, ["a", "b"])
        assert first.returncode == 0, first.stdout + first.stderr
        assert (answer(stack, "a", 1), answer(stack, "b", 1)) == (2, 2)
        assert apply(stack, tmp_path, [], key="a wrong key of 16").returncode != 0
        assert "Nothing to change" in apply(stack, tmp_path, ["a", "b"]).stdout
        assert apply(stack, tmp_path, ["b"]).returncode == 0
        left = {one["model"] for one in json.loads(stack.run("models", "list", "--json").stdout)}
        assert left == {"b"}
        assert answer(stack, "b", 1) == 2
    finally:
        assert stack.stop() == 0
