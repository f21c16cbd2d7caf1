"""The commands of docs/operating.md, from top to bottom, against a running whole."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import ROOT, Stack, clean_environment
from tests.doubling import save_double

PAGE = (ROOT / "docs" / "operating.md").read_text()
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `scurry up` with one model."""
    folder = tmp_path_factory.mktemp("operating")
    made = Stack(folder / "up", "--workers", "1")
    try:
        save_double(folder / "d.onnx")
        made.register("d", folder / "d.onnx")
        yield made
    finally:
        made.stop()


def test_every_command_runs_or_is_said_to_be_left_out(stack: Stack, tmp_path: Path) -> None:
    """As it stands there; what the export prints is the file that is applied."""
    left = []
    for command in COMMANDS:
        words = shlex.split(command)
        if words[0] != "scurry":
            left.append(command)
            continue
        line = [sys.executable, "-m", "scurry", *words[1:], "--dir", str(stack.dir)]
        env = clean_environment()
        done = subprocess.run(line, capture_output=True, text=True, timeout=90, cwd=tmp_path, env=env, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        if words[1:3] == ["models", "export"]:
            (tmp_path / "registry.yaml").write_text(done.stdout)
    assert len(COMMANDS) - len(left) >= 7
    for command in left:
        print(f"left out, as it changes the machine: {command}")
    assert {command.split()[0] for command in left} <= {"docker", "systemctl"}
