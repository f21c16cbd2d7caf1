"""Models of users' own, each in a process of its own, through the real job."""

from __future__ import annotations

import asyncio
import json
import os
import pickle
import signal
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import ROOT, Stack
from tests.doubling import save_double

from scurry.client.client import Client
from scurry.wire.errors import Failed, InvalidRequest, ScurryError, Unavailable
from scurry.wire.infer_pb2 import InferRequest, Parameter
from scurry.wire.tensors import to_array, to_tensor

MODEL = """
import asyncio
import os
import time

import numpy as np
import scurry


class Scale(scurry.Model):
    inputs = [{"name": "x", "datatype": "FP32", "shape": [-1, 2]}]
    outputs = [
        {"name": "y", "datatype": "FP32", "shape": [-1, 2]},
        {"name": "pid", "datatype": "INT64", "shape": [-1]},
    ]

    def load(self, files, config):
        self.base = config.get("base", 0)

    async def predict(self, inputs, parameters):
        x = inputs["x"]
        print("garbage for the log", flush=True)
        if (x == 13).any():
            os._exit(3)
        if (x == 14).any():
            time.sleep(1000)
        if (x == 15).any():
            raise RuntimeError("no fifteen")
        if (x == 16).any():
            raise scurry.InvalidRequest("bad_request", "sixteen is not served")
        await asyncio.sleep(0.001)
        return {"y": self.base + x * np.float32(parameters.get("scale", 1)), "pid": np.full(len(x), os.getpid())}
"""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with `scale`, and `double`, which runs in the worker."""
    root = tmp_path_factory.mktemp("models")
    for name in ("scale", "refused"):
        (root / name / "1").mkdir(parents=True)
        (root / name / "1" / "model.py").write_text(MODEL)
    (root / "double" / "1").mkdir(parents=True)
    save_double(root / "double" / "1" / "model.onnx", 2)
    return root


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, models: Path) -> Iterator[Stack]:
    """One worker that may open models of users' own."""
    folder = tmp_path_factory.mktemp("apart")
    stack = Stack(folder / "up", "--workers", "1", "--allow", "python")
    try:
        config = folder / "config.json"
        config.write_text(json.dumps({"max_seconds": 2, "parameters": {"base": 100}, "max_batch_size": 8}))
        stack.register("scale", models, "1", "--config", str(config))
        stack.register("double", models)
        yield stack
    finally:
        assert stack.stop() == 0


def row(value: float) -> np.ndarray:
    """One row of the model's input."""
    return np.full((1, 2), value, np.float32)


def lives(pid: int) -> bool:
    """Whether a process runs; one that has ended may lie there until whoever inherited it looks."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] != "Z"
    except OSError:
        return False


def worker_pid(stack: Stack) -> int:
    """The process of the only worker."""
    found: int = json.loads((stack.dir / "scurry.json").read_text())["processes"]["worker-0"]["pid"]
    return found


async def codes(client: Client, model: str, values: list[float]) -> list[float | str]:
    """What each of some requests gets that are sent at once."""
    asked = (client.infer(model, {"x": row(value)}, timeout=30) for value in values)
    found = await asyncio.gather(*asked, return_exceptions=True)
    return [each.code if isinstance(each, ScurryError) else float(each["y"][0, 0]) for each in found]  # type: ignore[union-attr,call-overload]


async def test_a_model_of_a_users_own_answers_with_parameters(running: Stack) -> None:
    """Its config and the parameters of the request reach it; it is in another process than the worker."""
    request = InferRequest(inputs=[to_tensor("x", row(3))], parameters={"scale": Parameter(int_value=2)})
    async with Client(running.redis_url) as client:
        answer = await client.ask("scale", request)
        y, pid = (to_array(tensor) for tensor in answer.reply.outputs)
        assert y.tolist() == [[106, 106]]
        os.kill(int(pid[0]), 0)
        assert int(pid[0]) != worker_pid(running)
        plain = await client.infer("scale", {"x": row(3)})
        assert plain["y"].tolist() == [[103, 103]]


async def test_what_a_model_raises_is_its_own_requests_failure(running: Stack) -> None:
    """With the line of the model's file; a refusal is the caller's to mend."""
    async with Client(running.redis_url) as client:
        with pytest.raises(Failed, match=r"RuntimeError: no fifteen \(model.py, line \d+\)") as failed:
            await client.infer("scale", {"x": row(15)})
        assert failed.value.code == "model_failed"
        with pytest.raises(InvalidRequest, match="sixteen is not served"):
            await client.infer("scale", {"x": row(16)})


async def test_a_crash_ends_one_request_and_nobody_elses(running: Stack) -> None:
    """It is kept as a dead letter; neighbours in the model, other models and the worker go on."""
    before = worker_pid(running)
    async with Client(running.redis_url) as client:
        scale, double = await asyncio.gather(
            codes(client, "scale", [1, 2, 13, 3, 4]), codes(client, "double", list(range(50)))
        )
        assert scale == [101, 102, "worker_lost", 103, 104]
        assert double == [2 * value for value in range(50)]
    assert worker_pid(running) == before
    dead = json.loads(running.run("dead", "list", "--json").stdout)
    assert [letter["fields"]["model"] for letter in dead] == ["scale"]


async def test_a_hang_is_given_up_and_hurts_nobody(running: Stack) -> None:
    """The process is ended after the time that the model's config says, and another one answers."""
    async with Client(running.redis_url) as client:
        hanging = asyncio.create_task(client.infer("scale", {"x": row(14)}, timeout=30))
        await asyncio.sleep(0.5)
        assert await codes(client, "double", [1, 2, 3]) == [2, 4, 6]
        assert not hanging.done()
        with pytest.raises(Unavailable, match="did not come back within 2 s") as caught:
            await hanging
        assert caught.value.code == "deadline_exceeded"
        assert await codes(client, "scale", [5]) == [105]


async def test_the_process_ends_with_the_registration(running: Stack, models: Path) -> None:
    """Nothing of an unregistered model is left."""
    running.register("scale", models / "scale" / "1", "2", "--config", str(running.dir.parent / "config.json"))
    async with Client(running.redis_url) as client:
        pid = int((await client.infer("scale", {"x": row(1)}, version="2"))["pid"][0])
        running.run("models", "unregister", "scale", "--version", "2", "--force")
        for _ in range(200):
            if not lives(pid):
                return
            await asyncio.sleep(0.05)
    raise AssertionError("the process outlived its model")


def test_the_example_answers_over_http(running: Stack) -> None:
    """With a parameter in the body, as its README asks it."""
    running.register("sentiment", ROOT / "examples" / "python_model" / "models")
    text = {"name": "text", "datatype": "BYTES", "shape": [2], "data": ["I love it", "An awful day"]}
    labels = []
    for parameters in ({}, {"threshold": 2.5}):
        body = json.dumps({"parameters": parameters, "inputs": [text]}).encode()
        asked = urllib.request.Request(f"{running.http_url}/v2/models/sentiment/infer", body)
        with urllib.request.urlopen(asked, timeout=30) as answer:
            score, label = json.load(answer)["outputs"]
        assert score["data"] == [2, -2]
        labels.append(label["data"])
    assert labels == [["friendly", "unfriendly"], ["unfriendly", "unfriendly"]]
    (version,) = json.loads(running.run("models", "show", "sentiment", "--json").stdout)["versions"]
    assert (version["isolated"], version["runtime"]) == (True, "python")


async def test_trees_and_estimators_answer_as_in_process(running: Stack, tmp_path: Path) -> None:
    """A booster in a process of its own, an estimator in the worker; a pickle is refused."""
    import xgboost
    from sklearn.linear_model import LogisticRegression
    from skops import io

    draw = np.random.default_rng(0)
    rows = draw.random((60, 3))
    labels = (rows.sum(axis=1) > 1.5).astype(int)
    trees = xgboost.XGBClassifier(n_estimators=5, n_jobs=1).fit(rows, labels)
    line = LogisticRegression().fit(rows, labels)
    trees.save_model(tmp_path / "trees.ubj")
    io.dump(line, tmp_path / "line.skops")
    (tmp_path / "line.pkl").write_bytes(pickle.dumps(line))
    for name in ("trees.ubj", "line.skops"):
        await asyncio.to_thread(running.register, name.partition(".")[0], tmp_path / name)
    async with Client(running.redis_url) as client:
        found = await client.infer("trees", {"x": rows.astype(np.float32)})
        assert np.array_equal(found["prediction"], trees.predict_proba(rows.astype(np.float32))[:, 1])
        found = await client.infer("line", {"x": rows})
        assert np.array_equal(found["label"], line.predict(rows))
        assert np.allclose(found["probabilities"], line.predict_proba(rows), rtol=1e-12)
    pickled = ("models", "register", "pickled", "--uri", str(tmp_path / "line.pkl"))
    done = await asyncio.to_thread(running.run, *pickled, check=False)
    assert "not_allowed" in done.stderr
    assert "--allow sklearn-pickle" in done.stderr


async def test_the_process_ends_with_its_worker(running: Stack) -> None:
    """Though nobody had the time to say so; the worker that is started instead starts another."""
    async with Client(running.redis_url) as client:
        pid = int((await client.infer("scale", {"x": row(1)}))["pid"][0])
        os.kill(worker_pid(running), signal.SIGKILL)
        answer = await client.infer("scale", {"x": row(2)}, timeout=60)
        assert answer["y"].tolist() == [[102, 102]]
        assert int(answer["pid"][0]) != pid
        assert not lives(pid)


def test_what_can_run_code_is_off_unless_it_is_allowed(stack: Stack, models: Path) -> None:
    """The refusal says which flag would change that."""
    done = stack.run("models", "register", "refused", "--uri", str(models), check=False)
    assert done.returncode == 1
    assert "not_allowed" in done.stderr
    assert "--allow python" in done.stderr
