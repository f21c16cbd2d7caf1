"""What every runtime does the same way, shown with one made of numpy."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import Options
from scurry.runtimes.port import Port
from scurry.runtimes.runtime import UNKNOWN_SECONDS, Runtime
from scurry.wire.errors import Failed, InvalidRequest


class Numpy(Runtime):
    """Runs a python function."""

    name, framework, module, suffixes = "numpy", "numpy", "numpy", (".npy",)

    def __init__(self, path: Path, function, inputs, outputs, options: Options | None = None) -> None:
        path.touch()
        super().__init__(ModelFile(path), options or Options(), threads=1)
        self.function, self.ports = function, (inputs, outputs)
        self.seen: list[int] = []

    def _load(self) -> None:
        self.inputs, self.outputs = self.ports

    def _run(self, arrays):
        self.seen.append(arrays[0].shape[0])
        return self.function(*arrays)


X = (Port("x", "FP32", (-1, 2)),)
Y = (Port("y", "FP32", (-1, 2)),)


@pytest.fixture
def make(tmp_path):
    """Makes models of numpy functions."""

    def build(function=lambda x: [x + 1], inputs=X, outputs=Y, options=None) -> Numpy:
        return Numpy(tmp_path / "m.npy", function, inputs, outputs, options)

    return build


def test_rows_that_were_shown_to_be_independent_stack(make):
    """Rows run together and singly, in several sizes; a full batch warms the model up."""
    model = make()
    model.open()
    assert (model.batched, model.max_batch_size, model.warnings) == (True, 32, [])
    assert set(model.seen) == {1, 2, 3, 5, 32}


@pytest.mark.parametrize(
    ("function", "sentence"),
    [
        (lambda x: [x - x.mean(axis=0)], "different values of output 'y'"),
        (lambda x: [x.mean(axis=0, keepdims=True)], r"2 rows together give \[1, 2\] of output 'y'"),
        (lambda x: [x.reshape(1, 2)], "2 rows together cannot be run: The model failed: cannot reshape"),
    ],
)
def test_rows_that_know_of_each_other_do_not_stack(make, function, sentence):
    """Two rows out of two say nothing: x - mean(x) would answer each caller with the others' data."""
    model = make(function=function)
    model.open()
    assert (model.batched, model.max_batch_size) == (False, 1)
    assert re.search(sentence, model.warnings[0])
    with pytest.raises(Failed, match=f"max_batch_size 8 is asked for, but .*{sentence}"):
        make(function=function, options=Options(max_batch_size=8)).open()


@pytest.mark.parametrize("size", [0, 1])
def test_stacking_can_be_switched_off(make, size):
    """max_batch_size 0 and 1 both mean one request at a time."""
    model = make(options=Options(max_batch_size=size))
    model.open()
    assert (model.batched, model.max_batch_size) == (False, 1)


def test_a_fixed_first_dimension_is_not_a_batch(make):
    """A model made for one row takes one row; the wish for more is refused."""
    ports = {"inputs": (Port("x", "FP32", (1, 2)),), "outputs": (Port("y", "FP32", (1, 2)),)}
    model = make(**ports)
    model.open()
    assert (model.batched, model.warnings) == (False, [])
    with pytest.raises(Failed, match=r"'x' is \[1, 2\]: its first dimension is fixed"):
        make(**ports, options=Options(max_batch_size=4)).open()


def test_a_warm_up_refuses_no_model(make):
    """Zeros are a try: a model that cannot run them, nor anything else, is open, not stacked, and says why."""

    def fails(_):
        raise ValueError("no such op\n  at line 3")

    model = make(function=fails)
    model.open()
    assert (model.batched, model.baseline, model.seconds) == (False, None, UNKNOWN_SECONDS)
    assert model.warnings[0] == "Zeros cannot be run: The model failed: no such op at line 3"
    assert "random rows could not be run" in model.warnings[1]


def test_what_refuses_zeros_may_take_random_rows(make):
    """A model that cannot divide by zero is tried with other rows, and no warning is made of it."""

    def picky(x):
        if not x.any():
            raise ValueError("zeros")
        return [x]

    model = make(function=picky)
    model.open()
    assert (model.batched, model.warnings, model.baseline.steady) == (True, [], True)


def test_free_dimensions_stack_only_by_wish(make):
    """Rows of every size cannot be tried: the config has to say it, and is refused where the trial shows otherwise."""
    free = (Port("x", "FP32", (-1, -1)),)
    model = make(inputs=free, outputs=free)
    model.open()
    assert not model.batched
    assert "set max_batch_size" in model.warnings[0]
    model = make(inputs=free, outputs=free, options=Options(max_batch_size=4))
    model.open()
    assert (model.batched, model.max_batch_size, model.warnings) == (True, 4, [])
    with pytest.raises(Failed, match="different values"):
        make(lambda x: [x - x.mean(axis=0)], free, free, Options(max_batch_size=4)).open()


def test_recorded_samples_come_first(make, tmp_path):
    """What the config records is what the model is tried with; a sample that fails is a warning."""
    (tmp_path / "warmup").mkdir()
    np.float32([3, 4]).tofile(tmp_path / "warmup" / "good.bin")
    sample = {"name": "s", "inputs": {"x": {"dims": [2], "input_data_file": "good.bin"}}}
    model = make(options=Options(model_warmup=(sample,)))
    model.open()
    assert model.baseline.inputs[0].tolist() == [[3, 4]]


def test_a_failing_run_has_a_code(make):
    """Whatever the framework raises is model_failed with its words."""
    model = make()
    model.open()
    model.function = lambda x: x.reshape(7)
    with pytest.raises(Failed, match="cannot reshape") as caught:
        model.run([np.zeros((1, 2), np.float32)])
    assert caught.value.code == "model_failed"


def test_an_unknown_datatype_fails_the_load(make):
    """What the wire cannot carry is refused when the model is opened."""
    with pytest.raises(Failed, match="'x' of the model is FP8: not supported"):
        make(inputs=(Port("x", "FP8", (-1, 2)),)).open()


def test_bytes_reach_the_framework_as_text(make):
    """BYTES elements are str for the framework; what is not UTF-8 is the caller's mistake."""
    text = (Port("t", "BYTES", (-1, 1)),)
    model = make(function=lambda t: [t], inputs=text, outputs=text)
    model.open()
    assert model.run([np.array([["é".encode()]], dtype=object)])[0].tolist() == [["é"]]
    with pytest.raises(InvalidRequest, match="not UTF-8") as caught:
        model.run([np.array([[b"\xff"]], dtype=object)])
    assert caught.value.code == "input_datatype"


def test_the_signature_says_all(make):
    """Signature and repr tell what was opened."""
    model = make()
    model.open()
    signature = model.signature()
    assert [(s.name, s.datatype, list(s.shape)) for s in signature.inputs] == [("x", "FP32", [-1, 2])]
    assert signature.batched
    assert model.bytes >= 96 * 1024
    assert repr(model).startswith("<Numpy m.npy on cpu, ")
