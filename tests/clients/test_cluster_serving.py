"""The original Cluster Serving client, unmodified, against bound streams."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import grpc
import pytest
import redis
from onnx import TensorProto, helper, save
from PIL import Image
from tests.clients.environments import client_program
from tests.conftest import RedisServer, Stack
from tests.doubling import save_double

from scurry.protocols import front_end_pb2 as words

HERE = Path(__file__).parent
COUNT, PAUSE_S = 2400, 0.012
STREAMS = ("serving_stream", "stream-b", "stream:c")


@pytest.fixture(scope="module")
def python() -> str:
    """The Python of the original client's environment."""
    return client_program("cluster_serving")


def start(python: str, redis_url: str, *words: str) -> subprocess.Popen[str]:
    """Have the client do something."""
    port = str(urlsplit(redis_url).port)
    command = [python, str(HERE / "cluster_serving.py"), port, *words]
    env = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "SCURRY_"))}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


def told(client: subprocess.Popen[str], seconds: float) -> dict[str, Any]:
    """What came of it."""
    out, errors = client.communicate(timeout=seconds)
    assert client.returncode == 0, errors
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


def save_words(path: Path) -> Path:
    """Texts to numbers: the place of each in a vocabulary."""
    node = helper.make_node(
        "LabelEncoder", ["words"], ["places"], domain="ai.onnx.ml",
        keys_strings=["cat", "dog"], values_floats=[1.0, 2.0], default_float=-1.0,
    )  # fmt: skip
    x = helper.make_tensor_value_info("words", TensorProto.STRING, ["n", "k"])
    y = helper.make_tensor_value_info("places", TensorProto.FLOAT, ["n", "k"])
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 2)]
    save(helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=imports, ir_version=8), path)
    return path


def save_colours(path: Path) -> Path:
    """The mean of each colour of a picture."""
    node = helper.make_node("ReduceMean", ["pixels"], ["colours"], axes=[2, 3], keepdims=0)
    x = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["n", 3, 8, 8])
    y = helper.make_tensor_value_info("colours", TensorProto.FLOAT, ["n", 3])
    imports = [helper.make_opsetid("", 17)]
    save(helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=imports, ir_version=8), path)
    return path


def save_pair(path: Path) -> Path:
    """Two inputs, two outputs: difference and sum."""
    nodes = [helper.make_node("Sub", ["a", "b"], ["less"]), helper.make_node("Add", ["a", "b"], ["more"])]
    x = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in "ab"]
    y = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2]) for name in ("less", "more")]
    imports = [helper.make_opsetid("", 17)]
    save(helper.make_model(helper.make_graph(nodes, "g", x, y), opset_imports=imports, ir_version=8), path)
    return path


def test_every_kind_of_input_and_every_method(python: str, stack: Stack, tmp_path: Path) -> None:
    """Numbers, sparse tensors, texts, pictures; read, deleted, all at once; what is wrong is NaN, with the reason."""
    picture = tmp_path / "red.png"
    Image.new("RGB", (8, 8), (250, 10, 10)).save(picture)
    config = tmp_path / "pictures.json"
    config.write_text(json.dumps({"preprocessing": [{"input": "pixels", "decode": "RGB"}]}))
    stack.register("cs-double", save_double(tmp_path / "double.onnx", 2))
    stack.register("cs-large", save_double(tmp_path / "large.onnx", 4096))
    stack.register("cs-words", save_words(tmp_path / "words.onnx"))
    stack.register("cs-colours", save_colours(tmp_path / "colours.onnx"), "1", "--config", str(config))
    stack.register("cs-pair", save_pair(tmp_path / "pair.onnx"))
    for model, streams in (("cs-double", []), ("cs-large", ["large"]), ("cs-words", ["texts"]),
                         ("cs-colours", ["pictures"]), ("cs-pair", ["pair"])):  # fmt: skip
        stack.run("models", "bind", model, *streams)
    refused = stack.run("models", "bind", "cs-large", check=False)
    assert refused.returncode == 1
    assert "'serving_stream' is bound to model 'cs-double'" in refused.stderr
    found = told(start(python, stack.redis_url, "kinds", str(picture)), 200)
    assert [found[name] for name in ("dense", "again", "and deleted")] == [[3, 4]] * 3
    assert (found["sparse"], found["wrong"], found["nothing"], found["gone"]) == ([0, 14], "NaN", "NaN", "[]")
    assert (found["predict"], found["predict json"]) == ([6, 8], [10, 12])
    assert found["dequeue"] == ["nothing", "sparse", "wrong"]
    assert found["large"] == [4096, 8190]
    assert found["words"] == [1, 2, -1]
    for name, off in (("path", 12), ("b64", 1)):  # the client itself makes a JPEG of a path
        assert all(abs(one - at) < off for one, at in zip(found[name], (250, 10, 10), strict=True)), found[name]
    assert found["two outputs"] == [[9, 18], [11, 22]]
    server = redis.Redis.from_url(stack.redis_url, decode_responses=True)
    reasons = {line["key"]: line["error"] for _, line in server.xrange("scurry:failures")}
    names = {uri: f"cluster-serving_serving_stream:{uri}" for uri in ("wrong", "nothing")}
    assert reasons == {names["wrong"]: "input_shape", names["nothing"]: "input_name"}
    assert server.xlen("serving_stream") == 0
    for model in ("cs-double", "cs-large", "cs-words", "cs-colours", "cs-pair"):
        stack.run("models", "unregister", model)


CONFIG = "modelPath: model\njobName:\nredisUrl: localhost:1\nmodelParallelism: 2\nperformance_mode: OFF\n"
SERVABLES = """
modelMetaDataList:
- !<ClusterServingMetaData>
   modelName: "shop"
   modelVersion:"1.0"
   redisHost: "localhost"
   redisPort: "6381"
   redisInputQueue: "serving_stream"
   redisOutputQueue: "cluster-serving_serving_stream:"
- !<InflerenceModelMetaData>
   modelName: "second"
   modelVersion:"2.0"
   modelPath:"model/model.onnx"
   features:
     - "a"
"""


def asked(grpc_url: str, model: str, version: str) -> list[str]:
    """The texts of a prediction by the gRPC front end's own service."""
    with grpc.insecure_channel(grpc_url.removeprefix("grpc://")) as channel:
        call = channel.unary_unary(
            "/grpc.FrontEndGRPCService/Predict", words.PredictReq.SerializeToString, words.PredictReply.FromString
        )
        body = json.dumps({"instances": [{"t": [5.0, 6.0]}, {"t": [5.0]}]})
        reply = call(words.PredictReq(model_name=model, model_version=version, input=body), timeout=60)
    found: list[str] = json.loads(reply.response)
    return found


def test_files_are_served_to_clients_that_came_first(python: str, redis_server: RedisServer, tmp_path: Path) -> None:
    """Both files at once, the flag before their Redis; entries from before, the client's HTTP side, and gRPC."""
    server = redis.Redis.from_url(redis_server.url, decode_responses=True)
    told(start(python, redis_server.url, "early"), 60)
    groups = server.xinfo_groups("serving_stream")
    (tmp_path / "model").mkdir()
    save_double(tmp_path / "model" / "model.onnx", 2)
    files = [tmp_path / "config.yaml", tmp_path / "servables.yaml"]
    for file, text in zip(files, (CONFIG, SERVABLES), strict=True):
        file.write_text(text)
    flags = ("--workers", "1", "--redis-url", redis_server.url, "--cluster-serving", ",".join(map(str, files)))
    stack = Stack(tmp_path / "up", *flags)
    try:
        found = told(start(python, redis_server.url, "front", stack.http_url), 120)
        assert found == {
            "early 1": [2, 1], "early 2": [4, 1], "predict": r'"value": "{\"data\":[6.0,8.0],\"shape\":[2]}"',
            "response": [6, 8], "json": [6, 8], "wrong": "[]", "perdict": None,
        }  # fmt: skip
        for name, version in (("shop", "1.0"), ("second", "2.0")):
            texts = asked(stack.info["grpc_url"], name, version)
            assert [json.loads(each)["value"] for each in texts] == ['{"data":[10.0,12.0],"shape":[2]}', "NaN"]
        answers = {f"cluster-serving_serving_stream:early {number}" for number in (1, 2)}
        assert set(server.keys("cluster-serving_*")) == answers
        assert [(server.hkeys(key), server.ttl(key)) for key in answers] == [(["value"], -1)] * 2
        assert (server.xlen("serving_stream"), server.xinfo_groups("serving_stream")) == (0, groups)
    finally:
        assert stack.stop() == 0


class Answers(threading.Thread):
    """Counts how often each answer is written."""

    def __init__(self, server: redis.Redis) -> None:
        super().__init__(daemon=True)
        server.config_set("notify-keyspace-events", "Kh")
        self._heard = server.pubsub()
        self._heard.psubscribe("__keyspace@0__:cluster-serving_*")
        self.written: Counter[str] = Counter()
        self.over = False

    def run(self) -> None:
        """Listen."""
        while not self.over:
            message = self._heard.get_message(timeout=0.5)
            if message and message["type"] == "pmessage" and message["data"] == "hset":
                self.written[message["channel"].partition("__:")[2]] += 1


def kill(stack: Stack, name: str) -> None:
    """End a process as nothing ends it, and wait until another runs in its place."""
    state = stack.dir / "scurry.json"
    before = json.loads(state.read_text())["processes"][name]
    os.kill(before["pid"], signal.SIGKILL)
    end = time.monotonic() + 90
    while True:
        now = json.loads(state.read_text())["processes"][name]
        if now["restarts"] > before["restarts"] and now["state"] == "running":
            return
        assert time.monotonic() < end, f"{name} was not started again"
        time.sleep(0.1)


def test_every_entry_has_exactly_one_answer_whatever_is_killed(python: str, tmp_path: Path) -> None:
    """A worker, the bridge and the job, one after another, under load on three streams of two models."""
    stack = Stack(tmp_path / "up", "--workers", "2", "--checkpoint-interval", "2s")
    try:
        for number, model in enumerate(("one", "two")):
            stack.register(model, save_double(tmp_path / "double.onnx", 2))
            for stream in STREAMS[number::2]:
                stack.run("models", "bind", model, stream)
        server = redis.Redis.from_url(stack.redis_url, decode_responses=True)
        answers = Answers(server)
        answers.start()
        server.hset("cluster-serving_elsewhere:x", "value", "of another")
        client = start(python, stack.redis_url, "load", str(COUNT), str(PAUSE_S), *STREAMS)
        for name in ("bridge", "worker-0", "bridge", "job", "worker-1", "bridge"):
            time.sleep(3)
            kill(stack, name)
        assert told(client, 400) == {"wrong": {}}
        time.sleep(3)  # for what would come twice
        answers.over = True
        answers.join()
        answers.written.pop("cluster-serving_elsewhere:x", None)
        assert len(answers.written) == COUNT
        assert set(answers.written.values()) == {1}
        assert server.hgetall("cluster-serving_elsewhere:x") == {"value": "of another"}
        assert [server.xlen(stream) for stream in STREAMS] == [0, 0, 0]
        assert [[group["name"] for group in server.xinfo_groups(stream)] for stream in STREAMS] == [["serving"]] * 3
        assert not server.exists("scurry:failures")
    finally:
        stack.stop()
