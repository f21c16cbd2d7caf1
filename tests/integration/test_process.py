"""The process of one model, from the worker's side."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest

from scurry.inference.children import Died
from scurry.inference.isolated import process as module
from scurry.inference.isolated.process import Process
from scurry.runtimes.catalog import Opener
from scurry.wire.errors import Failed, Unavailable
from scurry.wire.messages_pb2 import ModelSpec

MODEL = """
import os, subprocess, sys
import numpy as np
import scurry

class M(scurry.Model):
    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    outputs = [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}]

    def load(self, files, config):
        self.files = files

    def predict(self, inputs, parameters):
        match parameters.get("do"):
            case "print":
                print("x" * 100_000, flush=True)
                sys.stderr.write("y" * 100_000)
            case "leave somebody":
                if not os.fork():
                    subprocess.run(["sleep", "60"])
                os._exit(7)
            case "speak":
                for name in os.listdir("/proc/self/fd"):
                    try:
                        if os.readlink(f"/proc/self/fd/{name}").startswith("socket:"):
                            os.write(int(name), b"I am no message, whatever else I may be")
                    except OSError:
                        pass
            case "leak":
                self.kept = getattr(self, "kept", []) + [np.ones(4 << 20)]
        return {"y": inputs["x"] * 2}

    def unload(self):
        (self.files / "unloaded").touch()
"""
ONE = [np.float32([[1, 2]])]


@pytest.fixture
def header(tmp_path) -> dict:
    """What a process is told to open."""
    (tmp_path / "model.py").write_text(MODEL)
    found = Opener().find("m", "1", ModelSpec(uri=str(tmp_path)))
    told = {"uri": str(found.file.path), "runtime": "python", "config": "", "fingerprint": found.fingerprint}
    return {"op": "open", "threads": 1, "memory": 512 << 20, **told}


@pytest.fixture
def process(header):
    """One with the model open."""
    made = Process()
    answer, arrays = made.ask(header, [], 60)
    assert answer["outputs"] == [["y", "FP32", [-1, 2]]]
    assert (answer["baseline"], len(arrays)) == (True, 2)
    yield made
    made.end()
    assert not made.is_alive()


def run(process: Process, do: str = "", limit: float = 30) -> list:
    """One run of the model."""
    return process.ask({"op": "run", "parameters": {"do": do} if do else {}}, ONE, limit)[1][0].tolist()


def test_it_answers(process):
    """What a model prints is nobody's answer; large arrays come whole."""
    assert run(process) == [[2, 4]]
    assert run(process, "print") == [[2, 4]]
    large = np.random.default_rng(0).random((50_000, 2), np.float32)
    _, (found,) = process.ask({"op": "run", "parameters": {}}, [large], 30)
    assert np.array_equal(found, large * 2)
    assert repr(process) == f"<Process {process.pid}, 4 runs>"


def test_memory_is_used_again_also_by_a_model_that_gives_its_inputs_back(header, tmp_path):
    """What it gives is what it was given, and what it gave before stays."""
    (tmp_path / "model.py").write_text(MODEL.replace('inputs["x"] * 2', 'inputs["x"]'))
    process = Process()
    found = Opener().find("m", "1", ModelSpec(uri=str(tmp_path)))
    process.ask(header | {"fingerprint": found.fingerprint}, [], 60)
    large, kept, memories = np.zeros((50_000, 2), np.float32), [], set()
    for value in range(4):
        kept += process.ask({"op": "run", "parameters": {}}, [large + value], 30)[1]
        memories.add(id(process._channel._outgoing._memory))
    assert [(each == value).all() for value, each in enumerate(kept)] == [True] * 4
    assert len(memories) == 1
    process.end()


def test_an_end_is_told_with_its_status(process, monkeypatch):
    """Also when a process of its own holds the other end open; that one goes with it."""
    monkeypatch.setattr(module, "LOOK_SECONDS", 0.05)
    with pytest.raises(Died, match="it ended with status 7"):
        run(process, "leave somebody")
    left = _group(process.pid)
    assert left
    process.end()
    for _ in range(200):
        if not _group(process.pid):
            return
        time.sleep(0.01)
    raise AssertionError("what it started lives on")


def test_a_kill_is_told(process):
    """By its number."""
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(Died, match="it ended with status -9"):
        run(process)


def test_what_nobody_can_read_is_an_end(process):
    """A process that writes what it likes is not listened to."""
    with pytest.raises(Died, match="nobody can read"):
        run(process, "speak")


def test_one_that_stands_still_is_not_waited_for(process):
    """For longer than said."""
    os.kill(process.pid, signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        run(process, limit=0.1)


def test_memory_is_bounded(process):
    """A leak ends it, and it says why."""
    with pytest.raises(Died, match="it may take no more memory"):
        for _ in range(100):
            run(process, "leak")
    assert process.runs < 40


def test_it_unloads_and_leaves_when_it_is_asked_to(process, tmp_path):
    """The model's own `unload` is called."""
    process.leave()
    assert (tmp_path / "unloaded").exists()
    assert not process.is_alive()


def test_one_that_does_not_leave_is_ended(process, tmp_path, monkeypatch):
    """After a while."""
    monkeypatch.setattr(module, "LEAVE_SECONDS", 0.1)
    os.kill(process.pid, signal.SIGSTOP)
    process.leave()
    assert not (tmp_path / "unloaded").exists()


def test_what_cannot_be_opened_is_said(header):
    """As in the worker."""
    made = Process()
    with pytest.raises(Failed, match="was changed while it was opened") as caught:
        made.ask(header | {"fingerprint": "other"}, [], 60)
    assert caught.value.code == "load_failed"
    made.end()


def test_a_system_without_room_is_said(monkeypatch):
    """It is nobody's fault and may pass."""

    def refuse(*args, **more):
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(Unavailable, match="cannot start a process for the model"):
        Process()


def _group(leader: int) -> list[int]:
    """Who is in a process group, zombies left out."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, group, *_ = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(group) == leader and state != "Z":
            found.append(int(path.parent.name))
    return found
