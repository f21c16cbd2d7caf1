"""Where models are opened, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.inference.toys import Toy

from scurry.inference.isolated import opener as module
from scurry.inference.isolated.opener import IsolatingOpener
from scurry.runtimes.catalog import Subject
from scurry.runtimes.files import ModelFile
from scurry.runtimes.python import PythonRuntime
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec


class Plain(Toy):
    """Opened in the worker."""


class Apart(Toy):
    """Does not get on with others."""

    apart = True


class Opener:
    """Finds one model."""

    def __init__(self, runtime: type, config: dict | None = None) -> None:
        self.subject = Subject(runtime, ModelFile(Path("/models/m/1/model.x"), config or {}), "print", 10)

    def find(self, model, version, spec):
        return self.subject

    def open(self, subject, config):
        return "in the worker"


class Isolated:
    """Stands in for a process."""

    def __init__(self, subject, options, header, load_seconds) -> None:
        self.header, self.load_seconds, self.is_open = header, load_seconds, False

    def open(self) -> None:
        self.is_open = True


@pytest.fixture(autouse=True)
def processes(monkeypatch):
    """None is started."""
    monkeypatch.setattr(module, "isolated", lambda cls: Isolated)


def opened(opener: IsolatingOpener, config: str = ""):
    """What is found, opened."""
    return opener.open(opener.find("m", "1", ModelSpec(config=config)), config)


def test_most_are_opened_in_the_worker():
    """As they always were."""
    assert opened(IsolatingOpener(Opener(Plain))) == "in the worker"


@pytest.mark.parametrize(("runtime", "config"), [(Apart, ""), (Plain, '{"isolated": true}')])
def test_what_is_to_be_apart_has_a_process(runtime, config):
    """Its runtime says so, or its config; nothing has to be allowed for that."""
    model = opened(IsolatingOpener(Opener(runtime), threads=3, memory=77, load_seconds=5), config)
    assert (model.is_open, model.load_seconds) == (True, 5)
    assert model.header == {
        "uri": "/models/m/1/model.x",
        "runtime": "toy",
        "config": config,
        "fingerprint": "print",
        "threads": 3,
        "memory": 77,
    }


def test_the_config_limits_memory_and_threads():
    """Also the one beside the model."""
    model = opened(IsolatingOpener(Opener(Apart, {"max_memory_mb": 100}), threads=3), '{"threads": 1}')
    assert (model.header["memory"], model.header["threads"]) == (100 << 20, 1)


def test_what_can_run_code_is_refused_before_it_is_opened():
    """With the flag that would change that; allowed, it has a process of its own."""
    with pytest.raises(InvalidRequest, match=r"'python', which is off: .*--allow python \(SCURRY_ALLOW\)") as no:
        IsolatingOpener(Opener(PythonRuntime), allow=["sklearn-pickle"]).find("m", "1", ModelSpec())
    assert no.value.code == "not_allowed"
    allowing = IsolatingOpener(Opener(PythonRuntime), allow=["python"])
    assert opened(allowing).is_open
    assert repr(allowing) == "<IsolatingOpener that allows python>"
    assert repr(IsolatingOpener(Opener(Plain))) == "<IsolatingOpener that allows nothing>"


@pytest.mark.parametrize(
    "config", ['{"isolated": 1}', '{"max_memory_mb": 0}', '{"max_memory_mb": 1.5}', '{"max_seconds": "1"}', '{"x": 1}']
)
def test_a_config_that_makes_no_sense_is_refused(config):
    """As for any model."""
    with pytest.raises(Failed):
        opened(IsolatingOpener(Opener(Apart)), config)
