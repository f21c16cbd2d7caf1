"""The wheel alone, in an empty environment: no checkout, no Java, no Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.test_up import body, save_model

ROOT = Path(__file__).resolve().parents[2]
MOST_BYTES = 100 * 1024 * 1024
"""What the package index takes without being asked."""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the standard build makes it, by way of the source distribution."""
    folder = tmp_path_factory.mktemp("dist")
    built = subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(ROOT)],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def bin_(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of an environment that has the wheel and what it depends on, and nothing else."""
    folder = tmp_path_factory.mktemp("venv")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=120)
    install = [str(folder / "bin" / "pip"), "install", "-q", "--disable-pip-version-check", "-c",
               str(ROOT / "constraints.txt"), f"scurry[embedded,onnx] @ {wheel.as_uri()}"]  # fmt: skip
    done = subprocess.run(install, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "bin"


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with nothing on the PATH."""
    folder = tmp_path_factory.mktemp("empty")
    return {"PATH": str(folder), "HOME": str(folder), "LANG": os.environ.get("LANG", "C.UTF-8")}


@pytest.fixture
def up(bin_: Path, empty: dict[str, str], tmp_path: Path) -> Iterator[Path]:
    """A `scurry up` from the wheel; its directory."""
    command = [str(bin_ / "scurry"), "up", "--dir", str(tmp_path / "up"), "--workers", "1"]
    with (tmp_path / "said").open("w+") as said:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, env=empty, cwd=tmp_path)
        try:
            assert process.stdout
            line = process.stdout.readline()
            said.seek(0)
            assert line == "scurry is ready\n", said.read()
            yield tmp_path / "up"
        finally:
            process.terminate()
            process.communicate(timeout=60)


def test_the_wheel_is_small_enough_to_publish(wheel: Path) -> None:
    """With the job and Flink inside; its size is printed."""
    size = wheel.stat().st_size
    print(f"{wheel.name}: {size / 1e6:.0f} MB")
    assert size < MOST_BYTES


def test_the_wheel_alone_answers(up: Path, bin_: Path, empty: dict[str, str], tmp_path: Path) -> None:
    """A model is registered and asked, with nothing of this checkout in sight."""

    def scurry(*words: str) -> str:
        command = [str(bin_ / "scurry"), *words, "--dir", str(up)]
        done = subprocess.run(command, capture_output=True, text=True, env=empty, cwd=tmp_path, timeout=90, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    where = subprocess.run(
        [str(bin_ / "python"), "-c", "import scurry; print(scurry.__file__)"],
        capture_output=True, text=True, env=empty, cwd=tmp_path, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(bin_.parent))
    scurry("models", "register", "twice", "--uri", str(save_model(tmp_path / "m.onnx", 2)))
    answer = json.loads(scurry("predict", "twice", "--json", body(3)))
    assert answer["outputs"][0]["data"] == [6, 6, 6, 6]
    command = Path(f"/proc/{json.loads((up / 'scurry.json').read_text())['processes']['job']['pid']}/cmdline")
    assert str(ROOT) not in command.read_text()
