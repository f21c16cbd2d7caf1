"""`scurry up` for real: from start to stop, and everything that may go wrong on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tests.conftest import Stack, free_port


def save_model(path: Path, factor: float) -> Path:
    """An ONNX model that multiplies `x` (rows of 4) by a factor."""
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 4]) for name in ("x", "y")]
    weight = numpy_helper.from_array(np.float32([factor]), "w")
    graph = helper.make_graph([helper.make_node("Mul", ["x", "w"], ["y"])], "g", value[:1], value[1:], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def body(value: float) -> str:
    """A request with one row."""
    row = {"name": "x", "datatype": "FP32", "shape": [1, 4], "data": [value] * 4}
    return json.dumps({"inputs": [row]})


def answer(stack: Stack, model: str, value: float, *more: str) -> float:
    """The first number that the model answers."""
    done = stack.run("predict", model, "--json", body(value), *more)
    return float(json.loads(done.stdout)["outputs"][0]["data"][0])


def eventually(check: Callable[[], object], seconds: float, what: str) -> None:
    """Return once it holds."""
    end = time.monotonic() + seconds
    while not check():
        if time.monotonic() > end:
            pytest.fail(f"{what} did not come about within {seconds:g} s")
        time.sleep(0.1)


def is_alive(pid: int) -> bool:
    """Whether a process runs; a dead one that nobody waits for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def up(*words: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """A `scurry up` that is expected to end by itself."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SCURRY_")} | (env or {})
    command = [sys.executable, "-m", "scurry", "up", *words]
    return subprocess.run(command, capture_output=True, text=True, env=clean, timeout=60, check=False)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three models, one with two versions, one as Triton has it: its config above the version."""
    folder = tmp_path_factory.mktemp("repository")
    save_model(folder / "twice" / "1" / "model.onnx", 2)
    save_model(folder / "grow" / "1" / "model.onnx", 10)
    save_model(folder / "grow" / "2" / "model.onnx", 100)
    save_model(folder / "triton" / "1" / "other.onnx", 7)
    save_model(folder / "triton" / "1" / "named.onnx", 4)
    tensor = 'name: "x" data_type: TYPE_FP32 dims: [ 4 ]'
    (folder / "triton" / "config.pbtxt").write_text(
        'name: "triton" platform: "onnxruntime_onnx" max_batch_size: 16 default_model_filename: "named.onnx"\n'
        f"input [ {{ {tensor} }} ] instance_group [ {{ count: 2 kind: KIND_CPU }} ] # as in a repository of Triton's\n"
    )
    return folder


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory, repository: Path) -> Iterator[Stack]:
    """A stack that these tests may break, with a repository registered at its start."""
    running = Stack(tmp_path_factory.mktemp("own"), "--models", str(repository), "--workers", "2")
    yield running
    running.stop()


def test_a_repository_is_registered_before_it_is_ready(own: Stack) -> None:
    """The newest version answers; each can be asked by name."""
    assert answer(own, "twice", 3) == 6
    assert answer(own, "grow", 3) == 300
    assert answer(own, "grow", 3, "--version", "1") == 30


def test_a_triton_repository_is_served_as_it_lies(own: Stack) -> None:
    """By the file, the batch and the number of lanes that its config names."""
    assert answer(own, "triton", 3) == 12
    record = json.loads(own.run("models", "show", "triton", "--json").stdout)
    (version,) = record["versions"]
    assert version.get("warnings", []) == []
    assert version["lanes"]["count"] == 2


def test_processes_show_as_the_verbs_they_are(own: Stack) -> None:
    """In `ps`, with two workers."""
    pids = [one["pid"] for one in json.loads((own.dir / "scurry.json").read_text())["processes"].values()]
    lines = [Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode() for pid in pids]
    for verb, count in {"functions": 1, "worker": 2, "gateway": 1}.items():
        assert sum(f"scurry {verb} " in line for line in lines) == count


def test_verbs_find_a_running_up_by_its_directory(own: Stack) -> None:
    """Without an address, from any place."""
    done = subprocess.run(
        [sys.executable, "-m", "scurry", "models", "list", "--json", "--dir", str(own.dir)],
        capture_output=True, text=True, timeout=30, check=True,
    )  # fmt: skip
    assert {record["model"] for record in json.loads(done.stdout)} >= {"twice", "grow"}


def test_the_life_of_a_model(own: Stack, tmp_path: Path) -> None:
    """Registered, aliased, split, promoted, rolled back, unregistered: each holds when the verb returns."""
    own.register("life", save_model(tmp_path / "a.onnx", 1))
    own.register("life", save_model(tmp_path / "b.onnx", 5), "2")
    own.run("models", "alias", "life", "stable", "1")
    assert answer(own, "life", 1, "--version", "stable") == 1
    assert answer(own, "life", 1) == 5
    own.run("models", "split", "life", "1=1", "2=1")
    own.run("models", "promote", "life", "stable")
    assert answer(own, "life", 1) == 1
    own.run("models", "rollback", "life")
    record = json.loads(own.run("models", "show", "life", "--json").stdout)
    assert record["routes"] == {"1": 1, "2": 1}
    own.run("models", "unregister", "life")
    assert own.run("models", "show", "life", check=False).returncode == 1
    history = json.loads(own.run("models", "history", "life", "--json").stdout)
    verbs = ["unregister", "rollback", "promote", "split", "alias", "register", "register"]
    told = [next(iter(change["update"])) for change in history]
    assert [verb for verb in told if verb != "became"] == verbs
    assert told[0] == "became", "that the last of it is gone is told as well"
    assert [change["sequence"] for change in history] == sorted((c["sequence"] for c in history), reverse=True)


def test_a_model_that_cannot_be_loaded_is_one_sentence(own: Stack) -> None:
    """With its code and exit status 1; for machines as JSON."""
    done = own.run("models", "register", "ghost", "--uri", "/no/such.onnx", check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("scurry: load_failed: ")
    done = own.run("models", "register", "ghost", "--uri", "/no/such.onnx", "--json", check=False)
    assert json.loads(done.stdout)["error"] == "load_failed"


def test_what_dies_is_restarted_and_answers_as_before(own: Stack) -> None:
    """Each process in turn, killed without a warning; addresses stay."""
    for name in ("gateway", "worker-0", "worker-1", "functions", "redis", "job"):
        before = own.info | json.loads((own.dir / "scurry.json").read_text())
        pid = before["processes"][name]["pid"]
        os.kill(pid, signal.SIGKILL)

        def is_back(name: str = name, pid: int = pid) -> bool:
            now = json.loads((own.dir / "scurry.json").read_text())["processes"][name]
            return now["pid"] not in (0, pid) and now["restarts"] == 1

        eventually(is_back, 20, f"{name} back")
        eventually(
            lambda: own.run("predict", "twice", "--json", body(4), "--timeout", "20", check=False).returncode == 0,
            60,
            f"an answer after the loss of {name}",
        )
        assert answer(own, "twice", 4) == 8
        assert json.loads((own.dir / "scurry.json").read_text())["redis_url"] == own.redis_url


def test_a_directory_in_use_is_refused(own: Stack) -> None:
    """And the one who has it goes on."""
    done = up("--dir", str(own.dir))
    assert done.returncode == 1
    assert f"is in use by another `scurry up` (process {own.process.pid})" in done.stderr
    assert answer(own, "twice", 1) == 2


def test_a_taken_port_is_refused(own: Stack, tmp_path: Path) -> None:
    """Named with its flag, before anything is started."""
    port = own.http_url.rpartition(":")[2]
    done = up("--dir", str(tmp_path), "--http-port", port)
    assert done.returncode == 1
    assert done.stderr.startswith(f"scurry: unavailable: Port {port} (--http-port) cannot be used")
    assert "starting" not in done.stderr


def test_a_redis_that_does_not_answer_is_refused(tmp_path: Path) -> None:
    """Named without user and password."""
    done = up("--dir", str(tmp_path), "--redis-url", f"redis://ann:secret@127.0.0.1:{free_port()}/0")
    assert done.returncode == 1
    assert "(--redis-url) does not answer" in done.stderr
    assert "secret" not in done.stderr


def test_missing_files_are_one_sentence(tmp_path: Path) -> None:
    """A module.yaml and a repository that are not there."""
    assert "There is no file /no/module.yaml" in up("--dir", str(tmp_path), "--module", "/no/module.yaml").stderr
    assert "There is no directory /no/models" in up("--dir", str(tmp_path), "--models", "/no/models").stderr
    assert "SCURRY_WORKRES is not a setting" in up("--dir", str(tmp_path), env={"SCURRY_WORKRES": "1"}).stderr


def test_a_process_that_will_not_start_says_why(tmp_path: Path) -> None:
    """The job takes no checkpoint interval this short: its own words are shown, nothing is left running."""
    done = up("--dir", str(tmp_path), "--checkpoint-interval", "1ms")
    assert done.returncode == 1
    assert "job ended with status 2" in done.stderr
    assert "not '1ms'" in done.stderr
    assert not (tmp_path / "scurry.json").exists()


def test_another_redis_can_be_given_and_nothing_outlives_sigkill(redis_server, tmp_path: Path) -> None:
    """Two stacks side by side, the second on a Redis of somebody else, which alone survives."""
    stack = Stack(tmp_path / "dir", "--redis-url", redis_server.url, "--workers", "1")
    assert stack.redis_url == redis_server.url
    stack.register("own", save_model(tmp_path / "m.onnx", 7))
    assert answer(stack, "own", 1) == 7
    processes = json.loads((stack.dir / "scurry.json").read_text())["processes"]
    assert "redis" not in processes
    stack.process.kill()
    stack.stop()
    eventually(lambda: not any(is_alive(one["pid"]) for one in processes.values()), 10, "the end of every process")
    assert is_alive(redis_server.pid)


def test_ctrl_c_stops_everything_and_a_second_start_remembers(own: Stack) -> None:
    """Models, routes and addresses survive; nothing runs in between."""
    processes = json.loads((own.dir / "scurry.json").read_text())["processes"]
    own.process.send_signal(signal.SIGINT)
    assert own.process.wait(40) == 0
    assert not any(is_alive(one["pid"]) for one in processes.values())
    assert not (own.dir / "scurry.json").exists()
    again = Stack(own.dir, "--workers", "2")
    try:
        assert again.redis_url == own.redis_url
        assert answer(again, "grow", 3) == 300
    finally:
        assert again.stop() == 0
