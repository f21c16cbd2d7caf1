"""The job's process is killed under load; every request still gets exactly one result."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import redis
from tests.conftest import Stack
from tests.doubling import save_double

from scurry.wire.infer_pb2 import InferReply, InferRequest
from scurry.wire.tensors import to_array, to_tensor

REPLIES = "scurry:replies:kill-test"
MODELS = ("double-0", "double-1", "double-2", "double-3")
PER_BEAT, BEAT_S = 4, 0.02  # below what one model may have outstanding (2,048) after half a minute without the job
WAIT_S = 90


class Load(threading.Thread):
    """Requests with known ids at a steady rate, written by nobody's client, until told to stop."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(daemon=True)
        self._redis = redis.Redis.from_url(redis_url, protocol=2)
        self._stopping = threading.Event()
        self.entries: dict[str, str] = {}  # request id -> entry id

    def run(self) -> None:
        """Send."""
        number = 0
        while not self._stopping.wait(BEAT_S):
            pile = self._redis.pipeline(transaction=False)
            ids = [f"kill-{number + step:06d}" for step in range(PER_BEAT)]
            for step, request_id in enumerate(ids):
                tensor = to_tensor("x", np.array([[number + step]], np.float32))
                body = InferRequest(inputs=[tensor]).SerializeToString()
                model = MODELS[(number + step) % len(MODELS)]
                fields = {"model": model, "id": request_id, "request": body, "reply": REPLIES, "keep": "600"}
                pile.xadd("scurry:requests", fields)
            self.entries.update(zip(ids, (entry.decode() for entry in pile.execute()), strict=True))
            number += PER_BEAT

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self.join()


class Reads(threading.Thread):
    """From which entry on somebody reads the request stream, as Redis itself sees it."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(daemon=True)
        self._redis = redis.Redis.from_url(redis_url, protocol=2)
        self.first = ""
        self.seen = threading.Event()

    def run(self) -> None:
        """Watch until the first read."""
        with self._redis.monitor() as monitor:
            for event in monitor.listen():
                verb, *words = event["command"].split()
                if verb.upper() == "XREAD" and "scurry:requests" in words:
                    keys_and_ids = words[words.index("STREAMS") + 1 :]
                    self.first = keys_and_ids[keys_and_ids.index("scurry:requests") + len(keys_and_ids) // 2]
                    self.seen.set()
                    return


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Stack]:
    """A `scurry up` that may be broken, with models that double a number."""
    stack = Stack(tmp_path / "up", "--workers", "1", "--checkpoint-interval", "3s")
    try:
        save_double(tmp_path / "d.onnx")
        for model in MODELS:
            stack.register(model, tmp_path / "d.onnx")
        yield stack
    finally:
        stack.stop()


def position(entry: str) -> tuple[int, int]:
    """A stream entry id as it is ordered."""
    milliseconds, _, sequence = entry.partition("-")
    return int(milliseconds), int(sequence or 0)


def checkpoints(stack: Stack) -> set[Path]:
    """Completed checkpoints in the data directory."""
    return {file.parent for file in stack.dir.rglob("chk-*/_metadata")}


def java(stack: Stack) -> int:
    """The job's process: the one Java among the supervisor's descendants; 0 when there is none."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            head, _, tail = file.read_text().rpartition(") ")
        except OSError:
            continue
        pid = int(file.parent.name)
        names[pid], parents[pid] = head.partition("(")[2], int(tail.split()[1])
    for pid in [pid for pid, name in names.items() if name == "java"]:
        above = pid
        while above and above != stack.process.pid:
            above = parents.get(above, 0)
        if above:
            return pid
    return 0


def wait(what: str, seconds: float, condition: object) -> None:
    """Return once the condition holds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return
        time.sleep(0.05)
    pytest.fail(f"{what}: not within {seconds:g} s")


def test_killed_job_answers_each_request_once(own: Stack) -> None:
    """SIGKILL between two checkpoints: no request is lost, none answered twice, and answered ones were replayed."""
    door = redis.Redis.from_url(own.redis_url, protocol=2)
    load = Load(own.redis_url)
    load.start()
    wait("requests are answered", WAIT_S, lambda: door.xlen(REPLIES) > 200)
    old = checkpoints(own)
    wait("a checkpoint completes under load", WAIT_S, lambda: checkpoints(own) - old)
    time.sleep(1)
    pid, before_kill = java(own), checkpoints(own)
    assert pid
    assert before_kill
    reads = Reads(own.redis_url)
    os.kill(pid, signal.SIGKILL)
    reads.start()
    answered_before = {fields[b"id"].decode() for _, fields in door.xrange(REPLIES)}
    last_before = door.xinfo_stream(REPLIES)["last-generated-id"].decode()

    wait("the job is started again", WAIT_S, lambda: java(own) not in (0, pid))
    wait("requests are answered again", WAIT_S, lambda: len(door.xrange(REPLIES, f"({last_before}", count=500)) == 500)
    load.stop()
    wait("everything is answered", WAIT_S, lambda: door.xlen(REPLIES) >= len(load.entries))
    time.sleep(4)  # one checkpoint more: late duplicates would have come

    replies = [(entry.decode(), fields) for entry, fields in door.xrange(REPLIES)]
    counts = Counter(fields[b"id"].decode() for _, fields in replies)
    assert {request_id: count for request_id, count in counts.items() if count > 1} == {}
    assert set(counts) == set(load.entries)
    refused = Counter((fields[b"error"], fields[b"message"]) for _, fields in replies if fields[b"status"] != b"ok")
    assert not refused, refused
    for _, fields in replies:
        number = int(fields[b"id"].decode().removeprefix("kill-"))
        (output,) = InferReply.FromString(fields[b"reply"]).outputs
        assert to_array(output).tolist() == [[2.0 * number]]

    results = door.pipeline(transaction=False)
    for request_id in load.entries:
        results.hget(f"scurry:result:{request_id}", "status")
    assert set(results.execute()) == {b"ok"}

    after = [entry for entry, _ in replies if position(entry) > position(last_before)]
    assert len(after) >= 500
    assert reads.seen.wait(0)
    replayed = [
        request_id for request_id in answered_before if position(load.entries[request_id]) > position(reads.first)
    ]
    counted = f"{len(load.entries)} requests, {len(answered_before)} answered before the kill, {len(replayed)} replayed"
    print(f"{counted} from {reads.first} on")
    assert len(replayed) < len(answered_before), "the job began at the start of the stream, not at its checkpoint"
    assert replayed, f"the job resumed at {reads.first}, behind everything that was answered before the kill"
