"""A worker's models in processes of their own: what ends one ends nothing else."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import pickle
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from tests.doubling import save_double
from tests.stateful import SUM, running_sum
from tests.unit.inference.toys import DictPayloads, body, call, left, request, row, sent

from scurry.inference.function import Inference
from scurry.inference.isolated import model as module
from scurry.inference.isolated.model import IsolatedModel
from scurry.inference.isolated.opener import IsolatingOpener
from scurry.inference.shelf import Shelf
from scurry.runtimes.catalog import Opener
from scurry.runtimes.sequences import shown
from scurry.wire.errors import Failed, InvalidRequest, Unavailable
from scurry.wire.messages_pb2 import ModelSpec

HEAD = """
import os, time
import numpy as np
import scurry

class M(scurry.Model):
    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    outputs = [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}]
"""
PREDICT = """
    def predict(self, inputs, parameters):
        x = inputs["x"]
        if (x == 13).any():
            os._exit(3)
        if (x == 14).any():
            time.sleep(60)
        if (x == 15).any():
            raise ValueError("no fifteen")
        if (x == 17).any():
            self.kept = getattr(self, "kept", []) + [np.ones(4 << 20)]
        return {"y": x + 1}
"""
M = ("m", "1")


@pytest.fixture
def opener() -> IsolatingOpener:
    """Allows models of users' own."""
    return IsolatingOpener(Opener(), allow=["python"], load_seconds=60)


@pytest.fixture
def spec(tmp_path):
    """The registration of a model with these lines and this config."""

    def make(lines: str = PREDICT, **config) -> ModelSpec:
        (tmp_path / "model.py").write_text(HEAD + lines)
        return ModelSpec(uri=str(tmp_path), config=json.dumps(config), identity="i")

    return make


@pytest.fixture
def shelf(opener) -> Shelf:
    """For half a gigabyte."""
    return Shelf(opener, 512 << 20)


@pytest.fixture
async def inference(shelf):
    """The function of a worker, over that shelf."""
    made = Inference(shelf, DictPayloads())
    yield made
    await made.close()


def opened(opener: IsolatingOpener, spec: ModelSpec) -> IsolatedModel:
    """The open model."""
    found = opener.open(opener.find(*M, spec), spec.config)
    assert isinstance(found, IsolatedModel)
    return found


async def ask(inference: Inference, spec: ModelSpec, *values: float) -> tuple[dict, list]:
    """Replies and dead letters of requests that arrive together."""
    one = call(sent(*(request(at, body(x=row(value, value))) for at, value in enumerate(values)), spec=spec))
    await asyncio.wait_for(inference.serve([one], lambda _: None), 60)
    return left(one)


async def test_it_looks_like_any_open_model(opener, spec):
    """What it takes and gives, how many rows, what it takes of memory, how long a run takes."""
    model = opened(opener, spec())
    try:
        assert (model.name, model.inputs[0].shape, model.outputs[0].name) == ("python", (-1, 2), "y")
        assert (model.batched, model.max_batch_size, model.warnings) == (True, 32, [])
        assert 4 << 20 < model.bytes < 200 << 20
        assert 0 < model.seconds < 0.1
        assert model.is_sound()
        assert repr(model).startswith("<IsolatedPythonRuntime model.py in [<Process ")
    finally:
        model.close()


async def test_a_crash_is_named_and_its_neighbours_answered(inference, shelf, spec):
    """In one batch; the one that ends the process is kept as a dead letter after two tries."""
    replies, dead = await ask(inference, spec(), 1, 13, 2)
    assert replies == {"r0": [[2, 2]], "r1": "worker_lost", "r2": [[3, 3]]}
    assert [letter.request.id for letter in dead] == ["r1"]
    replies, dead = await ask(inference, spec(), 5)
    assert (replies, dead) == ({"r0": [[6, 6]]}, [])


async def test_who_is_ended_from_outside_is_no_culprit(inference, shelf, spec):
    """Its request is tried once more and answered."""
    await ask(inference, spec(), 1)
    loaded = shelf.find(M, spec())
    os.kill(loaded.model._process[0].pid, signal.SIGSTOP)
    asking = asyncio.create_task(ask(inference, spec(), 2))
    await asyncio.sleep(0.2)
    os.kill(loaded.model._process[0].pid, signal.SIGKILL)
    assert await asking == ({"r0": [[3, 3]]}, [])
    os.kill(loaded.model._process[0].pid, signal.SIGKILL)  # while it has nothing to do
    assert await ask(inference, spec(), 3) == ({"r0": [[4, 4]]}, [])


async def test_a_hang_is_given_up(inference, shelf, spec):
    """After what the config says; others in its batch are answered, and so is whoever comes next."""
    replies, dead = await ask(inference, spec(max_seconds=0.5), 1, 14, 2)
    assert replies == {"r0": [[2, 2]], "r1": "deadline_exceeded", "r2": [[3, 3]]}
    assert dead == []


async def test_a_leak_ends_its_process_and_no_request(inference, shelf, spec):
    """At its limit; whoever comes then has a fresh process."""
    pids = set()
    for _ in range(24):
        replies, dead = await ask(inference, spec(max_memory_mb=200), 17)
        assert (replies, dead) == ({"r0": [[18, 18]]}, [])
        pids.add(shelf.find(M, spec()).model._process[0].pid)
    assert 1 < len(pids) < 10


async def test_what_a_model_raises_does_not_end_it(inference, shelf, spec):
    """A failure is a failure."""
    assert (await ask(inference, spec(), 1))[0] == {"r0": [[2, 2]]}
    pid = shelf.find(M, spec()).model._process[0].pid
    assert (await ask(inference, spec(), 15, 1))[0] == {"r0": "model_failed", "r1": [[2, 2]]}
    assert shelf.find(M, spec()).model._process[0].pid == pid


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("    def load(self, files, config):\n        os._exit(5)\n", "it ended with status 5"),
        ("    def load(self, files, config):\n        while True: pass\n", "It hangs, and its process is ended"),
        ("    def load(self, files, config):\n        self.a = np.ones(1 << 33)\n", "Unable to allocate"),
        ("    def __init__(self):\n        raise OSError('no')\n", r"OSError: no \(model.py, line 10\)"),
        ("    def load(self, files, config):\n        os.kill(os.getpid(), 11)\n", "it ended with status -11"),
        ("os._exit(6)\n", "it ended with status 6"),
    ],
)
async def test_a_load_that_fails_in_whatever_way_is_a_failed_load(spec, lines, sentence):
    """And leaves nothing behind."""
    opener = IsolatingOpener(Opener(), allow=["python"], load_seconds=3)
    with pytest.raises(Failed, match=sentence) as caught:
        opened(opener, spec(lines))
    assert caught.value.code == "load_failed"
    assert not _ours()


async def test_it_is_not_started_too_often(opener, spec, monkeypatch):
    """A process that keeps ending is started again ever more seldom; unloading does not wait for that."""
    model = opened(opener, spec())
    monkeypatch.setattr(module, "FREE_STARTS", 1)
    monkeypatch.setattr(module, "FIRST_PAUSE_SECONDS", 30.0)
    with pytest.raises(Failed, match="it ended with status 3"):
        model.run([row(13, 13)])
    waiting = asyncio.get_running_loop().run_in_executor(model.thread, model.run, [row(1, 1)])
    await asyncio.sleep(0.2)
    assert not waiting.done()
    model.close()
    with pytest.raises(Unavailable, match="being unloaded"):
        await waiting


async def test_its_process_ends_with_it(opener, shelf, spec):
    """Unloaded, evicted while it is used, or merely forgotten."""
    loaded = await shelf.load(M, spec())
    pid = loaded.model._process[0].pid
    loaded.users += 1
    shelf.unload(M, "i")
    assert loaded.model.run([row(1, 1)])[0].tolist() == [[2, 2]]
    loaded.leave()
    await _gone(pid)
    model = opened(opener, spec())
    pid = model._process[0].pid
    del model
    gc.collect()
    await _gone(pid)


async def test_any_model_may_have_a_process(opener, tmp_path):
    """A model of numbers as well: the config says so."""
    file = save_double(tmp_path / "double.onnx", 2)
    model = opened(opener, ModelSpec(uri=str(file), config='{"isolated": true}'))
    try:
        assert (model.name, model.max_batch_size) == ("onnx", 32)
        large = np.ones((100_000, 2), np.float32)
        assert np.array_equal(model.run([large])[0], large * 2)
    finally:
        model.close()


async def test_a_pickle_is_opened_apart_where_it_is_allowed(tmp_path):
    """Nowhere else is it so much as read."""
    from sklearn.linear_model import LinearRegression

    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    (tmp_path / "model.pkl").write_bytes(pickle.dumps(model))
    (tmp_path / "evil.pkl").write_bytes(pickle.dumps(Evil(tmp_path / "ran")))
    with pytest.raises(InvalidRequest, match="--allow sklearn-pickle"):
        opened(IsolatingOpener(Opener(), allow=["python"]), ModelSpec(uri=str(tmp_path / "evil.pkl")))
    assert not (tmp_path / "ran").exists()
    allowing = IsolatingOpener(Opener(), allow=["sklearn-pickle"])
    found = opened(allowing, ModelSpec(uri=str(tmp_path / "model.pkl")))
    assert found.run([np.array([[3.0]])])[0].tolist() == model.predict([[3.0]]).tolist()
    found.close()
    with pytest.raises(Failed, match="int does not say what it takes"):
        opened(allowing, ModelSpec(uri=str(tmp_path / "evil.pkl")))
    assert (tmp_path / "ran").exists()


class Evil:
    """A pickle that writes a file when it is read."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


async def test_a_damaged_file_that_ends_its_reader_is_a_failed_load(opener, tmp_path):
    """XGBoost reads whatever lies there."""
    import xgboost

    x = np.random.default_rng(0).random((50, 4))
    xgboost.XGBRegressor(n_estimators=5, n_jobs=1).fit(x, x.sum(axis=1)).save_model(tmp_path / "whole.ubj")
    whole, failures = (tmp_path / "whole.ubj").read_bytes(), []
    for seed in range(6):
        draw = np.random.default_rng(seed)
        broken = bytearray(whole)
        for at in draw.integers(0, len(whole), 20):
            broken[at] = draw.integers(0, 256)
        (tmp_path / "broken.ubj").write_bytes(broken)
        with pytest.raises(Failed) as caught:
            opened(opener, ModelSpec(uri=str(tmp_path / "broken.ubj")))
        failures.append(caught.value)
        if "it ended with status -" in caught.value.message:
            break
    assert {failure.code for failure in failures} == {"load_failed"}
    assert any("it ended with status -" in failure.message for failure in failures)


async def _gone(pid: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if not Path(f"/proc/{pid}").exists():  # noqa: ASYNC240 - no file system of a disk
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"process {pid} lives")


def _ours() -> list[Path]:
    return [path for path in Path("/proc").glob("[0-9]*") if _is_ours(path)]


def _is_ours(path: Path) -> bool:
    """Whether a process is one that this test started for a model, and lives."""
    try:
        command, stat = (path / "cmdline").read_bytes(), (path / "stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return False
    return b"isolated.host" in command and stat[1] == str(os.getpid()) and stat[0] != "Z"


def test_what_belongs_to_sequences_is_known_of_a_model_in_a_process_of_its_own(opener, tmp_path) -> None:
    """Its states are neither asked for nor shown, wherever it is open."""
    config = json.dumps(SUM | {"isolated": True})
    subject = opener.find("sum", "1", ModelSpec(uri=str(running_sum(tmp_path / "sum.onnx")), config=config))
    model = opener.open(subject, config)
    try:
        assert model.sequences is not None
        assert [[port.name for port in ports] for ports in shown(model)] == [["x"], ["y"]]
        assert [each.name for each in model.signature().inputs] == ["x"]
    finally:
        model.close()
