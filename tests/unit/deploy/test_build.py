"""The build hook: what of the job goes into a distribution."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    """hatch_build.py, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def touch(path: Path, when: float) -> None:
    """A file of that age."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.utime(path, (when, when))


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Sources, and the job built from them."""
    touch(tmp_path / "job/pom.xml", 100)
    touch(tmp_path / "job/src/main/java/A.java", 100)
    touch(tmp_path / "protos/a.proto", 100)
    touch(tmp_path / "job/target/scurry-job.jar", 100)
    for name in ("flink-core-1.jar", "frocksdbjni-6.jar", "kryo.jar"):
        touch(tmp_path / "job/target/flink" / name, 50)
    return tmp_path


def test_jar_and_flink_go_in(hook: ModuleType, checkout: Path) -> None:
    """Without RocksDB's native library."""
    names = [name for _, name in hook.job_files(checkout)]
    assert names == ["scurry-job.jar", "flink/flink-core-1.jar", "flink/kryo.jar"]


def test_a_source_distribution_needs_no_maven(hook: ModuleType, checkout: Path, tmp_path: Path) -> None:
    """It has the built files where the wheel will have them."""
    inside = checkout / "functions/scurry/job"
    inside.mkdir(parents=True)
    for name in ("scurry-job.jar", "flink"):
        (checkout / "job/target" / name).rename(inside / name)
    assert next(hook.job_files(checkout))[0] == inside / "scurry-job.jar"


@pytest.mark.parametrize("source", ["job/pom.xml", "job/src/main/java/A.java", "protos/a.proto"])
def test_what_cannot_be_built_is_one_sentence(hook, checkout, source, monkeypatch) -> None:
    """A jar that is older than its sources is none; the sentence says what to install."""
    touch(checkout / source, 101)
    monkeypatch.setenv("PATH", str(checkout))
    with pytest.raises(hook.JobMissing, match=r"needs mvn and javac: install a JDK .* or run `make build` first\."):
        list(hook.job_files(checkout))


def test_maven_builds_what_is_missing(hook, checkout, monkeypatch) -> None:
    """And what it says when it fails is passed on."""
    ran = []

    def run(command, **_):
        ran.append(command)
        failed = len(ran) > 1
        return type("Done", (), {"returncode": int(failed), "stdout": "BUILD FAILURE", "stderr": ""})()

    (checkout / "job/target/scurry-job.jar").unlink()
    monkeypatch.setattr(hook.shutil, "which", lambda tool: tool)
    monkeypatch.setattr(hook.subprocess, "run", run)
    assert next(hook.job_files(checkout))[1] == "scurry-job.jar"
    assert "package" in ran[0]
    touch(checkout / "job/pom.xml", 2**33)
    with pytest.raises(hook.JobMissing, match="BUILD FAILURE"):
        list(hook.job_files(checkout))
