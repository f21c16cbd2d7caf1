"""The README's commands do what it says, against a real `scurry up`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Stack

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
FIRST = (ROOT / "README.md").read_text().partition("## A first request")[2].partition("\n## ")[0]
BLOCKS = re.findall(r"```(sh|python)\n(.*?)```", FIRST, re.DOTALL)
MARKS = ("scurry up", "models register", "scurry predict", "curl", "redis-cli", "BlockingClient")
SETOSA = 0


class Reader:
    """Somebody who types the README's blocks, in a folder of their own, with this stack's addresses."""

    def __init__(self, stack: Stack, folder: Path) -> None:
        self._folder = folder
        self._port = stack.redis_url.rpartition(":")[2].partition("/")[0]
        self._replace = {
            "localhost:8000": stack.http_url.partition("://")[2],
            "redis://127.0.0.1:6379/0": stack.redis_url,
            ".venv/bin/redis-cli": f"{BIN}/redis-cli -p {self._port}",
            ".venv/bin/scurry": f"{BIN}/scurry",
            ".venv/bin/python": str(BIN / "python"),
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")}
        self._environ = {**inherited, "SCURRY_REDIS_URL": stack.redis_url}

    def type(self, language: str, block: str) -> str:
        """What a block prints. It must exit with 0."""
        for there, here in self._replace.items():
            block = block.replace(there, here)
        words = ["bash", "-euc", block] if language == "sh" else [str(BIN / "python"), "-c", block]
        done = subprocess.run(
            words, cwd=self._folder, env=self._environ, capture_output=True, text=True, timeout=90, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
        return done.stdout


@pytest.fixture(scope="module")
def said(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each block printed, by the word that tells it apart; `scurry up` itself is the stack."""
    reader = Reader(stack, tmp_path_factory.mktemp("reader"))
    printed = {}
    for language, block in BLOCKS:
        mark = next(mark for mark in MARKS if mark in block)
        if mark != "scurry up" and (mark != "curl" or shutil.which("curl")):
            printed[mark] = reader.type(language, block)
    return printed


def test_every_way_to_ask_is_shown() -> None:
    """Command line, HTTP, redis-cli and Python each have their block."""
    assert all(any(mark in block for _, block in BLOCKS) for mark in MARKS)


def test_the_model_is_registered(said: dict[str, str]) -> None:
    """`models register` waits until the model is ready and says so."""
    assert "iris" in said["models register"]
    assert "ready" in said["models register"]


@pytest.mark.parametrize("way", ["scurry predict", "curl"])
def test_json_answers(said: dict[str, str], way: str) -> None:
    """The answer is Open Inference Protocol JSON that names model, version and flower."""
    if way not in said:
        pytest.skip("no curl on the PATH")
    answer = json.loads(said[way])
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    assert (answer["model_name"], answer["model_version"]) == ("iris", "1")
    assert outputs["label"] == [SETOSA]


def test_redis_cli_answers(said: dict[str, str]) -> None:
    """The result hash has the fields of the protocol, and the same answer."""
    entry, *lines = said["redis-cli"].splitlines()
    fields = dict(zip(lines[::2], lines[1::2], strict=True))
    assert re.fullmatch(r"\d+-\d+", entry)
    assert (fields["id"], fields["status"], fields["model"], fields["version"]) == ("hello", "ok", "iris", "1")
    assert json.loads(fields["reply"])["outputs"][0]["data"] == [SETOSA]


def test_python_answers(said: dict[str, str]) -> None:
    """The client prints label and probabilities."""
    assert re.match(r"\[0\] \[\[0\.9\d? ", said["BlockingClient"])
