"""Child processes of a worker, with real models."""

from __future__ import annotations

import asyncio
import os
import signal

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from tests.stores import web_server

from scurry.inference import children as module
from scurry.inference.children import Children, Died
from scurry.inference.fetched import Places
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec

M = ("m", "1")
ONE = [np.float32([[1, 2]])]


def save(path, nodes, kind=TensorProto.FLOAT, shape=("n", 2)) -> ModelSpec:
    """A model of one input x and one output y."""
    value = helper.make_tensor_value_info
    out = value("y", TensorProto.FLOAT, ["m", 2])
    graph = helper.make_graph(nodes, "g", [value("x", kind, list(shape))], [out])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)
    return ModelSpec(uri=str(path), identity=path.name)


async def until(true) -> None:
    """Wait until something is so."""
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come to be")


@pytest.fixture
def double(tmp_path) -> ModelSpec:
    """y = x + x."""
    return save(tmp_path / "double.onnx", [helper.make_node("Add", ["x", "x"], ["y"])])


@pytest.fixture
def hungry(tmp_path) -> ModelSpec:
    """Makes a tensor of the size that it is told."""
    nodes = [helper.make_node("ConstantOfShape", ["x"], ["z"]), helper.make_node("Expand", ["z", "x"], ["y"])]
    return save(tmp_path / "hungry.onnx", nodes, TensorProto.INT64, (2,))


@pytest.fixture
async def children():
    """With a budget of 256 MiB."""
    made = Children(threads=1, memory=256 << 20)
    yield made
    await made.close()
    assert repr(made) == "<Children 0 running, 0 idle>"


async def test_a_child_answers_and_is_kept(children, double):
    """The second request finds it warm; the model's failures are failures."""
    for _ in range(2):
        (output,) = await children.run(M, double, ONE, 30)
        assert output.tolist() == [[2, 4]]
        assert repr(children) == "<Children 1 running, 1 idle>"
    with pytest.raises(Failed, match="The model failed") as caught:
        await children.run(M, double, [np.float32([[1, 2, 3]])], 30)
    assert caught.value.code == "model_failed"
    assert repr(children) == "<Children 1 running, 1 idle>"


async def test_a_child_fetches_as_its_worker_does(double, tmp_path):
    """Into the same cache; what it may not fetch is refused there too."""
    with web_server(tmp_path) as web:
        made = Children(1, 256 << 20, Places("", web.url, str(tmp_path / "cache"), 1 << 20))
        try:
            (output,) = await made.run(M, ModelSpec(uri=f"{web.url}/double.onnx"), ONE, 30)
            with pytest.raises(InvalidRequest, match="SCURRY_SOURCES"):
                await made.run(M, ModelSpec(uri="http://elsewhere/double.onnx"), ONE, 30)
        finally:
            await made.close()
    assert output.tolist() == [[2, 4]]
    assert len(list((tmp_path / "cache").glob("*/*/files/*/double.onnx"))) == 1


async def test_a_child_that_dies_is_named_and_replaced(children, double):
    """Whoever was computed there is told; the next one gets another child."""
    await children.run(M, double, ONE, 30)
    (child,) = children._idle
    os.kill(child.pid, signal.SIGKILL)
    with pytest.raises(Died, match="status -9"):
        await children.run(M, double, ONE, 30)
    (output,) = await children.run(M, double, ONE, 30)
    assert output.tolist() == [[2, 4]]


async def test_a_child_that_hangs_is_ended(children, double, monkeypatch):
    """It is not waited for longer than said."""
    await children.run(M, double, ONE, 30)
    (child,) = children._idle
    os.kill(child.pid, signal.SIGSTOP)
    monkeypatch.setattr(module, "OPEN_SECONDS", 0.1)
    with pytest.raises(TimeoutError):
        await children.run(M, double, ONE, 0.1)
    assert not _alive(child.pid)


async def test_a_child_may_take_no_more_than_the_worker(children, hungry):
    """A request that eats memory fails in its child, or ends it; the worker's own memory is not touched."""
    (small,) = await children.run(M, hungry, [np.int64([10, 10])], 60)
    assert small.shape == (10, 10)
    with pytest.raises((Failed, Died)):
        await children.run(M, hungry, [np.int64([1 << 15, 1 << 15])], 60)  # 4 GiB
    (small,) = await children.run(M, hungry, [np.int64([3, 3])], 60)
    assert small.shape == (3, 3)


async def test_a_caller_that_gives_up_ends_its_child(children, double):
    """What it was computing is of no use, and may be what hangs."""
    task = asyncio.create_task(children.run(M, double, ONE, 30))
    await until(lambda: children._all)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert repr(children) == "<Children 0 running, 0 idle>"


async def test_idle_children_are_ended(children, double, monkeypatch):
    """They are kept only for a while."""
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.05)
    await children.run(M, double, ONE, 30)
    await until(lambda: not children._all)
    assert repr(children) == "<Children 0 running, 0 idle>"


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_model_that_ends_its_process_while_it_is_opened_is_a_failed_load(children, double, monkeypatch):
    """The child is gone afterwards either way, and what can be opened is said to be."""
    await children.try_to_open(M, double)
    assert repr(children) == "<Children 0 running, 0 idle>"
    start = children._start

    async def doomed():
        child = await start()
        os.kill(child.pid, signal.SIGSTOP)
        asyncio.get_running_loop().call_later(0.05, os.kill, child.pid, signal.SIGKILL)
        return child

    monkeypatch.setattr(children, "_start", doomed)
    with pytest.raises(Failed, match="was lost: it ended with status -9") as caught:
        await children.try_to_open(M, double)
    assert caught.value.code == "load_failed"
    assert repr(children) == "<Children 0 running, 0 idle>"
    double.uri = "absent.onnx"
    monkeypatch.setattr(children, "_start", start)
    with pytest.raises(Failed, match="There is no file"):
        await children.try_to_open(M, double)


async def test_quick_models_do_not_wait_behind_slow_ones(children, double):
    """Those have a child of their own."""
    slow = asyncio.create_task(children.run(M, double, ONE, 30))
    await until(lambda: children._all)
    (child,) = children._all
    os.kill(child.pid, signal.SIGSTOP)
    (output,) = await children.run(M, double, ONE, 30, quick=True)
    assert output.tolist() == [[2, 4]]
    assert not slow.done()
    os.kill(child.pid, signal.SIGCONT)
    await slow
