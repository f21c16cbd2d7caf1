"""A real worker process, called as the job calls it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
import onnx
import pytest
import redis as blocking_redis
import skops.io
from onnx import TensorProto, helper, numpy_helper
from sklearn.linear_model import Ridge

from scurry.endpoint.frames import ANSWER, CONTENT_TYPE, DRAINING, FAILED, HEARTBEAT, join, read
from scurry.endpoint.reqreply_pb2 import FromFunction, ToFunction
from scurry.wire.infer_pb2 import InferReply, InferRequest, Tensor
from scurry.wire.messages_pb2 import (
    DeadLetter,
    Done,
    Load,
    Loaded,
    LoadFailed,
    ModelSpec,
    Replies,
    Request,
    Requests,
    Unload,
)
from scurry.wire.names import INFERENCE_STATE
from scurry.wire.tensors import to_array, to_tensor

PROGRAM = """
import sys
from scurry.serving.worker import run
from scurry.settings import WorkerSettings
url, namespace, root, pool = sys.argv[1:]
run(WorkerSettings(port=0, redis_url=url, namespace=namespace, memory_mb=512, models_root=root, pool=pool))
"""


@dataclass
class Worker:
    """A worker process and its address."""

    process: subprocess.Popen[str]
    url: str
    namespace: str

    def post(self, *calls: ToFunction) -> list[tuple[int, int, bytes]]:
        body = join([call.SerializeToString() for call in calls])
        request = urllib.request.Request(f"{self.url}/calls", body, {"Content-Type": CONTENT_TYPE})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return list(read(answer.read()))

    def ask(self, call: ToFunction) -> FromFunction.InvocationResponse:
        """The answer to one call."""
        ((_, kind, payload),) = [frame for frame in self.post(call) if frame[1] != HEARTBEAT]
        assert kind == ANSWER, payload
        return FromFunction.FromString(payload).invocation_result

    def status(self, path: str) -> int:
        try:
            with urllib.request.urlopen(f"{self.url}{path}", timeout=10) as answer:
                assert json.load(answer)
                return int(answer.status)
        except urllib.error.HTTPError as failure:
            with failure:
                return failure.code


@pytest.fixture
def worker(request, redis_server, models) -> Iterator[Worker]:
    """A worker on a free port, killed in the end; in the default pool unless a test names one."""
    namespace, pool = uuid.uuid4().hex, getattr(request, "param", "default")
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, redis_server.url, namespace, str(models), pool],
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stderr
    line = next(each for each in process.stderr if "ready on" in each)
    drain = threading.Thread(target=process.stderr.read)
    drain.start()
    yield Worker(process, line.split("ready on ")[1].strip().strip('"'), namespace)
    process.kill()
    process.wait(10)
    drain.join(10)
    process.stderr.close()


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> Path:
    """A repository with `double` (y = 2x, also 3,000 wide) and `patient`, which takes as long as it is told."""
    root = tmp_path_factory.mktemp("models")
    save(
        root / "double" / "1" / "model.onnx",
        [helper.make_node("Add", ["x", "x"], ["y"])],
        [value("x", TensorProto.FLOAT, ["n", "wide"])],
        [value("y", TensorProto.FLOAT, ["n", "wide"])],
    )
    inner = [value("i", TensorProto.INT64, []), value("go", TensorProto.BOOL, []), value("s", TensorProto.FLOAT, [1])]
    outer = [value("on", TensorProto.BOOL, []), value("t", TensorProto.FLOAT, [1])]
    nodes = [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Cos", ["s"], ["t"])]
    body = helper.make_graph(nodes, "turn", inner, outer)
    save(
        root / "patient" / "1" / "model.onnx",
        [helper.make_node("Loop", ["turns", "", "zero"], ["y"], body=body)],
        [value("turns", TensorProto.INT64, [1])],
        [value("y", TensorProto.FLOAT, [1])],
        [numpy_helper.from_array(np.zeros(1, np.float32), "zero")],
    )
    return root


def value(name: str, kind: int, shape: list) -> onnx.ValueInfoProto:
    """Name, type and shape of a graph's input or output."""
    return helper.make_tensor_value_info(name, kind, shape)


def save(path: Path, nodes: list, inputs: list, outputs: list, weights: list | None = None) -> None:
    """Write a graph as a model."""
    path.parent.mkdir(parents=True)
    graph = helper.make_graph(nodes, "test", inputs, outputs, weights or [])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9), path)


def call(model: str, *messages: object, lane: str = "0") -> ToFunction:
    """A call as the router's messages make it."""
    made = ToFunction()
    made.invocation.target.namespace, made.invocation.target.type = "scurry", "inference"
    made.invocation.target.id = f"{model}@1/{lane}"
    made.invocation.state.add(state_name=INFERENCE_STATE)
    for message in messages:
        item = made.invocation.invocations.add()
        item.caller.namespace, item.caller.type, item.caller.id = "scurry", "router", model
        item.argument.typename, item.argument.has_value = f"scurry.v1/{type(message).__name__}", True
        item.argument.value = message.SerializeToString()  # type: ignore[attr-defined]
    return made


def spec(**fields: object) -> ModelSpec:
    """Where the test's models lie."""
    return ModelSpec(uri=".", runtime="onnx", generation=1, **fields)  # type: ignore[arg-type]


def requests(model: str, *tensors: Tensor, **fields: object) -> Requests:
    """The requests of one lane, one for each tensor."""
    requests = [
        Request(id=f"r{at}", entry=f"s/{at}", model=model, body=InferRequest(inputs=[tensor]).SerializeToString())
        for at, tensor in enumerate(tensors)
    ]
    return Requests(requests=requests, spec=spec(), sequence=len(requests), **fields)  # type: ignore[arg-type]


def replies(result: FromFunction.InvocationResponse) -> list:
    """The replies that went to the egress."""
    (out,) = result.outgoing_egresses
    return list(Replies.FromString(out.argument.value).replies)


def test_a_model_is_loaded_by_message_and_answers(worker):
    """Load is answered with Loaded, requests with replies and a report; a health check says ready."""
    assert (worker.status("/healthz"), worker.status("/readyz")) == (200, 200)
    (sent,) = worker.ask(call("double", Load(model="double", version="1", spec=spec()))).outgoing_messages
    loaded = Loaded.FromString(sent.argument.value)
    assert (sent.target.type, sent.argument.typename) == ("registry", "scurry.v1/Loaded")
    assert f"http://{loaded.worker}" == worker.url
    arrays = [np.array([[at, 1]], np.float32) for at in range(40)]
    result = worker.ask(call("double", requests("double", *(to_tensor("x", each) for each in arrays), report=True)))
    answers = [to_array(InferReply.FromString(reply.body).outputs[0]) for reply in replies(result)]
    assert all((answer == array * 2).all() for answer, array in zip(answers, arrays, strict=True))
    done = Done.FromString(result.outgoing_messages[0].argument.value)
    assert (done.version, done.lane, done.sequence, done.requests, done.busy_micros > 0) == ("1", 0, 40, 40, True)


def test_a_model_that_is_not_there_fails_with_its_reason(worker):
    """LoadFailed has the sentence, and so has a request that comes anyway."""
    (sent,) = worker.ask(call("none", Load(model="none", version="1", spec=spec()))).outgoing_messages
    assert "holds no model" in LoadFailed.FromString(sent.argument.value).message
    (reply,) = replies(worker.ask(call("none", requests("none", to_tensor("x", np.zeros((1, 2), np.float32))))))
    assert reply.error == "load_failed"


def test_payloads_go_through_redis_both_ways(worker, redis_server):
    """A parked input is fetched; a large output is parked where the reply says."""
    store = blocking_redis.Redis.from_url(redis_server.url)
    array = np.arange(3000, dtype=np.float32).reshape(1, 3000)
    key = f"{worker.namespace}:payload:r0:in:x"
    store.set(key, array.tobytes())
    parked = Tensor(name="x", datatype="FP32", shape=[1, 3000], payload=key)
    (reply,) = replies(worker.ask(call("double", requests("double", parked))))
    (output,) = InferReply.FromString(reply.body).outputs
    assert (list(reply.consumed), list(reply.parked)) == ([key], [output.payload])
    assert output.payload.startswith(f"{worker.namespace}:payload:r0:out:")
    assert (to_array(output, store.get(output.payload)) == array * 2).all()
    assert store.ttl(output.payload) > 80_000
    store.close()


def test_a_slow_call_beats_and_delays_nobody(worker):
    """While one call computes, heartbeats come, and other calls of the same exchange are answered first."""
    slow = call("patient", requests("patient", to_tensor("turns", np.array([turns_for(worker, 2.5)]))))
    quick = call("double", requests("double", to_tensor("x", np.ones((1, 2), np.float32))))
    frames = worker.post(slow, quick)
    assert [frame[0] for frame in frames if frame[1] == ANSWER] == [1, 0]
    assert [frame for frame in frames if frame[1] == HEARTBEAT]


def turns_for(worker: Worker, seconds: float) -> int:
    """How many turns take the patient model so long on this machine."""
    turns, took = 20_000, []
    for many in (1, turns, turns, turns):
        start = time.monotonic()
        worker.ask(call("patient", requests("patient", to_tensor("turns", np.array([many])))))
        took.append(time.monotonic() - start)
    return int(turns * seconds / min(took[1:]))


def test_sigterm_drains(worker):
    """Told to leave, a worker finishes what it has, refuses what comes, and exits with 0."""
    slow = call("patient", requests("patient", to_tensor("turns", np.array([turns_for(worker, 2)]))))
    answers: list = []
    thread = threading.Thread(target=lambda: answers.append(worker.ask(slow)))
    thread.start()
    time.sleep(0.5)
    worker.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    assert (worker.status("/healthz"), worker.status("/readyz")) == (200, 503)
    assert [kind for _, kind, _ in worker.post(call("double", requests("double")))] == [DRAINING]
    thread.join(20)
    assert [reply.error for reply in replies(answers[0])] == [""]
    assert worker.process.wait(10) == 0


def test_the_plain_protocol_is_served_too(worker):
    """A StateFun client without coalescing gets its one answer."""
    body = call("double", requests("double", to_tensor("x", np.ones((1, 2), np.float32)))).SerializeToString()
    with urllib.request.urlopen(urllib.request.Request(f"{worker.url}/", body), timeout=20) as answer:
        result = FromFunction.FromString(answer.read()).invocation_result
    assert [reply.error for reply in replies(result)] == [""]


def test_a_request_that_ends_its_process_ends_a_child_of_the_worker(worker):
    """Sent alone it is answered and kept by itself; the worker has not moved, and the next one gets another child."""
    turns = to_tensor("turns", np.array([1 << 50]))  # years
    asked = requests("patient", turns, solo=True, report=True)
    answers: list = []
    thread = threading.Thread(target=lambda: answers.append(worker.ask(call("patient", asked, lane="solo/a"))))
    thread.start()
    children = Path(f"/proc/{worker.process.pid}/task/{worker.process.pid}/children")
    while not (pids := children.read_text().split()):
        time.sleep(0.05)
    quick = worker.ask(call("double", requests("double", to_tensor("x", np.ones((1, 2), np.float32)))))
    assert [reply.error for reply in replies(quick)] == [""]
    os.kill(int(pids[0]), signal.SIGKILL)
    thread.join(60)
    letter, reply = (each.argument for each in answers[0].outgoing_egresses)
    assert [each.error for each in Replies.FromString(reply.value).replies] == ["worker_lost"]
    assert (letter.typename, DeadLetter.FromString(letter.value).request.id) == ("scurry.v1/DeadLetter", "r0")
    assert [each.argument.typename for each in answers[0].outgoing_messages] == ["scurry.v1/Done"]
    again = requests("patient", to_tensor("turns", np.array([3])), solo=True)
    assert [each.error for each in replies(worker.ask(call("patient", again, lane="solo/b")))] == [""]
    assert worker.process.poll() is None
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(20) == 0


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def figures(worker: Worker) -> dict[str, float]:
    """What it tells whoever scrapes it."""
    with urllib.request.urlopen(f"{worker.url}/metrics", timeout=10) as answer:
        lines = [line.split() for line in answer.read().decode().splitlines() if not line.startswith("#")]
    return {name: float(number) for name, number in lines}


@pytest.mark.parametrize("worker", ["gpu"], indirect=True)
def test_a_worker_answers_for_its_own_pool_only(worker):
    """What is wired to another one fails with a sentence that names both, and loads nothing."""
    load = Load(model="double", version="1", spec=spec())
    ((_, kind, sentence),) = [frame for frame in worker.post(call("double", load)) if frame[1] != HEARTBEAT]
    assert (kind, sentence) == (FAILED, b"Function 'scurry/inference' is not served here; scurry/inference.gpu are.")
    assert figures(worker)['scurry_worker_info{pool="gpu"}'] == 1
    assert figures(worker)["scurry_shelf_loads_total"] == 0
    wanted = call("double", load)
    wanted.invocation.target.type = "inference.gpu"
    (sent,) = worker.ask(wanted).outgoing_messages
    assert Loaded.FromString(sent.argument.value).version == "1"


def heavy(folder: Path, runtime: str) -> np.ndarray:
    """A model of half a megabyte, in a form for this runtime; what it is asked."""
    weights = np.random.default_rng(0).random((512, 256), np.float32)
    if runtime == "sklearn":
        folder.mkdir(parents=True)
        skops.io.dump(Ridge().fit(weights, weights), folder / "model.skops")
        return np.ones((1, 256))
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    inputs, outputs = (value(name, TensorProto.FLOAT, ["n", wide]) for name, wide in (("x", 512), ("y", 256)))
    save(folder / "model.onnx", nodes, [inputs], [outputs], [numpy_helper.from_array(weights, "w")])
    return np.ones((1, 512), np.float32)


@pytest.mark.parametrize("runtime", ["onnx", "openvino", "sklearn"])
def test_two_hundred_rounds_leave_nothing_behind(worker, models, runtime):
    """A model that is loaded, asked and unloaded again and again gives its memory back: within 5 % of before."""
    name = f"heavy-{runtime}"
    asked = to_tensor("x", heavy(models / name / "1", runtime))

    def turn(number: int) -> None:
        place = spec(identity=f"i{number}")
        place.runtime = runtime
        load = call(name, Load(model=name, version="1", spec=place))
        while (sent := worker.ask(load).outgoing_messages[0]).argument.typename.endswith("Loading"):
            time.sleep(0.1)  # the framework is imported for the first one
        assert sent.argument.typename.endswith("Loaded"), sent
        requested = requests(name, asked)
        requested.spec.CopyFrom(place)
        assert [reply.error for reply in replies(worker.ask(call(name, requested)))] == [""]
        worker.ask(call(name, Unload(model=name, version="1", identity=place.identity)))

    sizes = []
    for number in range(240):
        turn(number)
        sizes.append(resident(worker.process.pid))
    # What has just been closed may be given back a moment later: of several looks the one in the middle.
    assert median(sizes[-20:]) < median(sizes[30:50]) * 1.05
    told = figures(worker)
    assert (told["scurry_shelf_models"], told["scurry_shelf_bytes"], told["scurry_shelf_loads_total"]) == (0, 0, 240)
    assert told["scurry_shelf_hits_total"] == 240
