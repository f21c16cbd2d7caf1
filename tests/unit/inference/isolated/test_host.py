"""What the process of a model does, without the process."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.inference.toys import Toy, row

from scurry.inference.isolated import host as module
from scurry.inference.isolated.confine import OUT_OF_MEMORY
from scurry.inference.isolated.host import Host, described, opened, samples
from scurry.runtimes.catalog import Opener
from scurry.runtimes.user_model import Model
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec

OPEN = {"op": "open"}
RUN = {"op": "run", "parameters": {}}


class Messages:
    """A channel whose other end has sent these."""

    def __init__(self, *received) -> None:
        self.received, self.sent = list(received), []

    def receive(self):
        if not self.received:
            raise EOFError
        return self.received.pop(0)

    def send(self, header, arrays=()):
        self.sent.append((header, list(arrays)))


@pytest.fixture
def toy(monkeypatch) -> Toy:
    """The model that is opened."""
    made = Toy()
    made.closed = 0

    def close() -> None:
        made.closed += 1

    made.close = close
    monkeypatch.setattr(module, "opened", lambda header: made)
    return made


def told(*received) -> list:
    """What a host answers."""
    channel = Messages(*received)
    Host(channel).serve()
    return channel.sent


def test_it_opens_runs_and_closes(toy):
    """What it says of the model is all that the worker needs; `close` is not answered."""
    opening, running = told((OPEN, []), (RUN, [row(1, 2)]), ({"op": "close"}, []))
    assert opening[0]["inputs"] == [("x", "FP32", (-1, 2))]
    assert (opening[0]["max_batch_size"], opening[0]["baseline"]) == (4, False)
    assert [each.tolist() for each in opening[1]] == [[[0, 0]], [[0, 0]]]
    assert (running[0], running[1][0].tolist(), toy.closed) == ({}, [[2, 3]], 1)


def test_it_unloads_when_the_worker_is_gone(toy):
    """Nobody is there to ask for it."""
    told((OPEN, []))
    assert toy.closed == 1
    assert told() == []


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (Failed("model_failed", "no"), "model_failed"),
        (InvalidRequest("input_shape", "no"), "input_shape"),
        (InvalidRequest("teapot", "no"), "bad_request"),
        (KeyError("no"), "model_failed"),
    ],
)
def test_failures_are_answers(toy, raised, code):
    """With their code; what is no failure of ours is the model's."""

    def run(arrays, parameters):
        raise raised

    toy.run = run
    _, (answer, arrays) = told((OPEN, []), (RUN, [row(1, 2)]))
    assert (answer["code"], "no" in answer["message"], arrays) == (code, True, [])


def test_out_of_memory_it_ends(toy, monkeypatch):
    """What fills it up stays full: the next one begins anew. A model that cannot be opened is told like any other."""
    ended = []

    def end(status):
        ended.append(status)
        raise SystemExit

    def run(arrays, parameters):
        try:
            raise MemoryError
        except MemoryError as cause:
            raise Failed("model_failed", "The model failed") from cause

    toy.run = run
    monkeypatch.setattr(module.os, "_exit", end)
    with pytest.raises(SystemExit):
        told((OPEN, []), (RUN, [row(1, 2)]))
    assert ended == [OUT_OF_MEMORY]
    monkeypatch.setattr(module, "opened", lambda header: run(None, None))
    assert told((OPEN, []))[0][0]["code"] == "model_failed"


def test_the_same_files_are_opened(tmp_path, monkeypatch):
    """Those that the worker looked at; others are refused."""
    monkeypatch.setattr(module, "limit_memory", lambda more: None)
    (tmp_path / "model.py").write_text(
        "import scurry\nclass M(scurry.Model):\n"
        "    inputs = outputs = [{'name': 'x', 'datatype': 'FP32', 'shape': [-1]}]\n"
        "    def predict(self, inputs, parameters):\n        return inputs\n"
    )
    subject = Opener().find("m", "1", ModelSpec(uri=str(tmp_path)))
    header = {"uri": str(subject.file.path), "runtime": "python", "config": "", "threads": 1, "memory": 1}
    model = opened(header | {"fingerprint": subject.fingerprint})
    assert described(model)["baseline"] is True
    assert len(samples(model)) == 2
    assert isinstance(model._model, Model)
    with pytest.raises(Failed, match="was changed while it was opened"):
        opened(header | {"fingerprint": "other"})
    toy = Toy()
    toy.baseline = None
    assert (described(toy)["baseline"], samples(toy)) == (None, [])
    assert np.array_equal(model.run([np.float32([1])])[0], np.float32([1]))
