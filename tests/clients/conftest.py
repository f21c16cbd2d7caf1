"""What other people's clients are run against, and how."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.clients.triton_models import save_all
from tests.conftest import Stack

HERE = Path(__file__).parent


def run_json(python: str, program: str, *args: str, timeout: float = 300) -> Any:
    """What a program beside this file prints as JSON, run by another Python."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCURRY_"))}
    done = subprocess.run(
        [python, str(HERE / program), *args],
        capture_output=True, text=True, timeout=timeout, check=False, env=environment,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"{program} {' '.join(args)} exited {done.returncode}:\n{done.stdout}{done.stderr}")
    return json.loads(done.stdout)


@pytest.fixture(scope="session")
def triton_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A `scurry up` that is called triton and has the models of Triton's examples, with two gateways."""
    folder = tmp_path_factory.mktemp("triton")
    repository = save_all(folder / "repository")
    stack = Stack(
        folder / "up", "--models", str(repository), "--server-name", "triton", "--gateways", "2",
        "--max-body-bytes", str(300_000_000),
    )  # fmt: skip
    yield stack
    assert stack.stop() == 0
