"""What every runtime does the same way, shown with one made of numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scurry.runtimes.files import ModelFile
from scurry.runtimes.options import Options
from scurry.runtimes.runtime import Port, Runtime
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


def test_two_rows_in_and_out_prove_that_rows_stack(make):
    """A model is batched when two rows of zeros give two rows; a full batch warms it up."""
    model = make()
    model.open()
    assert (model.batched, model.max_batch_size) == (True, 32)
    assert set(model.seen) == {1, 2, 32}


def test_a_model_that_folds_rows_is_not_batched(make):
    """A free first dimension alone does not make a batch."""
    model = make(function=lambda x: [x.mean(axis=0, keepdims=True)])
    model.open()
    assert (model.batched, model.max_batch_size) == (False, 1)


@pytest.mark.parametrize("size", [0, 1])
def test_stacking_can_be_switched_off(make, size):
    """max_batch_size 0 and 1 both mean one request at a time."""
    model = make(options=Options(max_batch_size=size))
    model.open()
    assert (model.batched, model.max_batch_size) == (False, 1)


def test_a_fixed_first_dimension_is_not_a_batch(make):
    """A model made for one row takes one row."""
    model = make(inputs=(Port("x", "FP32", (1, 2)),), outputs=(Port("y", "FP32", (1, 2)),))
    model.open()
    assert not model.batched


def test_zeros_that_fail_fail_the_load(make):
    """A model that cannot run zeros of its own shape is not opened."""

    def fails(_):
        raise ValueError("no such op\n  at line 3")

    with pytest.raises(Failed, match=r"The model failed: no such op at line 3") as caught:
        make(function=fails).open()
    assert caught.value.code == "load_failed"


def test_guessed_sizes_may_fail(make):
    """Where dimensions other than the rows are free, a failing warm-up says nothing."""

    def fails_below_two(x):
        if x.shape[1] < 2:
            raise ValueError("too narrow")
        return [x]

    free = (Port("x", "FP32", (-1, -1)),)
    model = make(function=fails_below_two, inputs=free, outputs=free)
    model.open()
    assert model.batched


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
    with pytest.raises(Failed, match="'x' of the model is BF16: not supported"):
        make(inputs=(Port("x", "BF16", (-1, 2)),)).open()


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
