"""Counters add up to exactly the answers, whatever is killed."""

from __future__ import annotations

import json
import os
import signal
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
from tests.conftest import Stack
from tests.doubling import save_double
from tests.e2e.test_kill import WAIT_S, checkpoints, java, wait

from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.tensors import to_tensor

REPLIES = "scurry:replies:counters-test"
MODELS = ("count-0", "count-1")
REQUESTS = 20_000
AT_ONCE = 1_000  # outstanding: half a minute without the job refuses none of them
KILL_AFTER = 8_000


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A `scurry up` that may be broken, with models of two versions that share the requests."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--checkpoint-interval", "2s")
    try:
        save_double(tmp_path / "d.onnx")
        for model in MODELS:
            stack.register(model, tmp_path / "d.onnx", "1")
            stack.register(model, tmp_path / "d.onnx", "2")
            stack.run("models", "split", model, "1=3", "2=1")
        yield stack
    finally:
        stack.stop()


def fields_of(number: int) -> dict[str, str | bytes]:
    """A request; one in ten asks for what is no version, or sends what the model does not take, or comes late."""
    wide = 2 if number % 20 == 0 else 1
    body = InferRequest(inputs=[to_tensor("x", np.ones((1, wide), np.float32))]).SerializeToString()
    fields = {"model": MODELS[number % 2], "id": f"count-{number}", "request": body, "reply": REPLIES, "keep": "0"}
    if number % 20 == 7:
        fields["version"] = "9"
    if number % 20 == 14:
        fields["deadline"] = "1"
    return fields


def counted(stack: Stack) -> dict[str, dict[str, Counter[str]]]:
    """What the views say of each model: counts by version, and under the empty name what found none."""
    out: dict[str, dict[str, Counter[str]]] = {}
    for model in MODELS:
        record = json.loads(stack.run("models", "show", model, "--json").stdout)
        out[model] = {"": Counter(record["unrouted"])}
        for one in record["versions"]:
            codes = Counter({"": one["ok"], **one["errors"], "overloaded": one["refused"]})
            out[model][one["version"]] = +codes
    return out


def check(stack: Stack) -> None:
    """Once all has arrived, a version's figures agree with each other; before that some are told later than others."""
    for model in MODELS:
        for one in json.loads(stack.run("models", "show", model, "--json").stdout)["versions"]:
            answered = one["ok"] + sum(one["errors"].values())
            assert one["requests"] == answered + one["refused"], one
            assert sum(one["latency_ms"]["buckets"].values()) == answered
            assert sum(one["failed_ms"].values()) <= one["latency_ms"]["sum"]
            assert min(one["stage_micros"].values()) > 0


def test_counters_add_up_to_the_answers_after_a_kill(own: Stack) -> None:
    """20,000 requests with errors among them, the job killed half-way: as many by version and code as were answered."""
    door = redis.Redis.from_url(own.redis_url, protocol=2)
    sent, killed = 0, 0
    while sent < REQUESTS:
        pile = door.pipeline(transaction=False)
        for number in range(sent, sent + 100):
            pile.xadd("scurry:requests", fields_of(number))
        pile.execute()
        sent += 100
        if not killed and sent >= KILL_AFTER:
            old = checkpoints(own)
            wait("a checkpoint completes", WAIT_S, lambda old=old: checkpoints(own) - old)
            killed = java(own)
        elif killed > 0 and sent >= KILL_AFTER + 2_000:
            os.kill(killed, signal.SIGKILL)
            killed = -1
        wait("there is room", WAIT_S, lambda sent=sent: sent - door.xlen(REPLIES) <= AT_ONCE)
    wait("everything is answered", WAIT_S, lambda: door.xlen(REPLIES) >= REQUESTS)
    assert killed == -1

    answers: dict[str, dict[str, Counter[str]]] = {model: {"": Counter()} for model in MODELS}
    for _, fields in door.xrange(REPLIES):
        text = {name.decode(): value.decode(errors="replace") for name, value in fields.items()}
        answers[text["model"]].setdefault(text["version"], Counter())[text.get("error", "")] += 1
    wait("the last counts arrive", 15, lambda: counted(own) == answers)
    check(own)
    assert sum(codes.total() for each in answers.values() for codes in each.values()) == REQUESTS
    assert set(answers[MODELS[0]]) == {"", "1", "2"}
    page = urllib.request.urlopen(own.info["metrics_url"], timeout=10).read().decode()
    for model, versions in answers.items():
        for version, codes in versions.items():
            for code, count in codes.items() if version else ():
                assert f'_answers_total{{model="{model}",version="{version}",code="{code or "ok"}"}} {count}\n' in page
