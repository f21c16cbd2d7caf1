"""`scurry up` keeps everything running on a full disk, and takes over from one that was killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from tests.conftest import Stack
from tests.e2e.test_up import answer, eventually, is_alive, save_model, up

ROOM = "192m"
BACK_S = 15
BODY = json.dumps({"inputs": [{"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [1, 1, 1, 1]}]})


def processes(stack: Stack) -> dict[str, dict[str, object]]:
    """What runs, as the supervisor has written it down."""
    found: dict[str, dict[str, object]] = json.loads((stack.dir / "scurry.json").read_text())["processes"]
    return found


def checkpoints(stack: Stack) -> set[Path]:
    """The metadata of every completed checkpoint."""
    return set((stack.dir / "flink" / "checkpoints").glob("*/chk-*/_metadata"))


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of our own that is soon full."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM}", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture(scope="module")
def own(small_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack on that disk, with a model that lies elsewhere."""
    stack = Stack(small_disk / "up", "--workers", "1")
    stack.register("twice", save_model(tmp_path_factory.mktemp("model") / "m.onnx", 2))
    yield stack
    assert stack.stop() == 0


def fill(folder: Path) -> Path:
    """A file that takes all the room there is, what others gave back since included."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        try:
            while True:
                file.write(bytes(1 << 20))
        except OSError:
            pass
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return ballast


@pytest.mark.parametrize("name", ["gateway", "worker-0", "functions", "redis", "job"])
def test_what_dies_while_the_disk_is_full_is_back_soon_after(own: Stack, small_disk: Path, name: str) -> None:
    """Restarted, written down, and answering, within 15 s of there being room."""
    before = processes(own)[name]
    ballast = fill(small_disk)
    try:
        os.kill(int(str(before["pid"])), signal.SIGKILL)
        for _ in range(30):  # what is killed, or restarted, may let go of files
            time.sleep(0.1)
            fill(small_disk)
        with pytest.raises(OSError, match="No space left"):
            (small_disk / "more").write_bytes(bytes(1 << 20))
    finally:
        ballast.unlink()
        (small_disk / "more").unlink(missing_ok=True)
    eventually(lambda: processes(own)[name]["restarts"] != before["restarts"], BACK_S, f"{name} written down")
    eventually(lambda: processes(own)[name]["state"] == "running", BACK_S, f"{name} back")
    assert processes(own)[name]["pid"] != before["pid"]
    eventually(
        lambda: own.run("predict", "twice", "--json", BODY, "--timeout", "5", check=False).returncode == 0,
        60,
        f"an answer after the loss of {name}",
    )
    assert answer(own, "twice", 3) == 6


def test_a_second_up_takes_over_from_one_that_was_killed(tmp_path: Path) -> None:
    """In the same directory, at the same addresses, with the same models; nothing of the first stays behind."""
    first = Stack(tmp_path / "up", "--workers", "1")
    first.register("twice", save_model(tmp_path / "m.onnx", 2))
    old = [int(str(one["pid"])) for one in processes(first).values()]
    first.process.kill()
    second = Stack(tmp_path / "up", "--workers", "1")
    try:
        assert not any(is_alive(pid) for pid in old)
        assert second.redis_url == first.redis_url
        assert answer(second, "twice", 3) == 6
    finally:
        first.stop()
        assert second.stop() == 0


def test_a_job_that_refuses_to_go_on_is_shown_and_can_be_told_to(tmp_path: Path) -> None:
    """Redis lacks what the job has not read: `up` says so with the flag that goes on, and is not ready meanwhile."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--checkpoint-interval", "1s")
    try:
        stack.register("twice", save_model(tmp_path / "m.onnx", 2))
        old = checkpoints(stack)
        eventually(lambda: checkpoints(stack) - old, 30, "a checkpoint")
        redis.Redis.from_url(stack.redis_url).delete("scurry:requests")
        os.kill(int(str(processes(stack)["job"]["pid"])), signal.SIGKILL)
        eventually(lambda: processes(stack)["job"]["state"] == "refused", 60, "a refusal")
        said = "".join(stack.lines)
        assert "cannot be continued without loss" in said
        assert "scurry up --on-gap resume" in said
        shown = stack.run("status", "--dir", str(stack.dir), check=False)
        assert shown.returncode == 1
        assert "scurry is not ready" in shown.stdout
    finally:
        assert stack.stop() == 0
    again = Stack(tmp_path / "up", "--workers", "1", "--on-gap", "resume")
    try:
        assert answer(again, "twice", 3) == 6
        assert again.run("status", "--dir", str(again.dir)).stdout.startswith("scurry is ready")
    finally:
        assert again.stop() == 0


def test_checkpoints_that_cannot_be_restored_can_be_put_aside(tmp_path: Path) -> None:
    """The refusal names the flag; with it the job begins without models, and nothing is deleted."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--checkpoint-interval", "1s")
    try:
        stack.register("twice", save_model(tmp_path / "m.onnx", 2))
        redis.Redis.from_url(stack.redis_url).xtrim("scurry:requests", maxlen=0)  # else it would be registered again
        old = checkpoints(stack)
        eventually(lambda: checkpoints(stack) - old, 30, "a checkpoint")
    finally:
        assert stack.stop() == 0
    for file in checkpoints(stack):
        file.write_bytes(b"damaged")
    refused = up("--dir", str(stack.dir), "--workers", "1")
    assert refused.returncode == 1
    assert "can be restored" in refused.stderr
    assert "--forget-checkpoints" in refused.stderr
    again = Stack(tmp_path / "up", "--workers", "1", "--forget-checkpoints")
    try:
        assert json.loads(again.run("models", "list", "--json").stdout) == []
        assert list((stack.dir / "flink").glob("checkpoints.*/**/_metadata"))
    finally:
        assert again.stop() == 0
