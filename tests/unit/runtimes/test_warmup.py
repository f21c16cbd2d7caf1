"""What a model is tried with when it is opened."""

from __future__ import annotations

import numpy as np
import pytest

from scurry.runtimes.port import Port
from scurry.runtimes.warmup import guessed, recorded
from scurry.wire.errors import Failed

PORTS = (Port("x", "FP32", (-1, -1)), Port("t", "BYTES", (-1,)))


def sample(**x: object) -> dict:
    """A sample in Triton's form."""
    return {"name": "s", "inputs": {"x": x, "t": {"dims": [], "random_data": True}}}


def test_samples_are_read_in_tritons_form(tmp_path):
    """Zeros, random values, and files beside the model or beside its version's directory; rows by batch_size."""
    file = tmp_path / "m" / "1" / "model.onnx"
    for directory in (file.parent / "warmup", file.parent.parent / "warmup"):
        directory.mkdir(parents=True)
    np.float32([1, 2, 3]).tofile(file.parent / "warmup" / "near")
    np.float32([4, 5, 6]).tofile(file.parent.parent / "warmup" / "above")
    samples = [sample(dims=[3], input_data_file=name) for name in ("near", "above")]
    samples += [{**sample(dims=[2], zero_data=True), "batch_size": 2}, sample(dims=[5], random_data=True)]
    made = recorded(samples, PORTS, file)
    assert [name for name, _ in made] == ["Warm-up sample 's'"] * 4
    assert [arrays[0].tolist() for _, arrays in made[:3]] == [[[1, 2, 3]], [[4, 5, 6]], [[0, 0], [0, 0]]]
    assert [arrays[1].shape for _, arrays in made] == [(1,), (1,), (2,), (1,)]
    assert made[3][1][0].any()


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        ([{"inputs": {}}], r"'0' must have|0 must have the inputs \['x', 't'\]"),
        ([sample(dims=[2]) | {"shape": 1}], "has no 'shape'; it may have batch_size"),
        ([sample(dims=[2], value=1)], "input 'x' has no 'value'"),
        ([sample(dims=2)], "dims must be a list"),
        ([sample(dims=[0])], r"dims \[0\] do not fit the model's \[-1, -1\]"),
        ([sample(dims=[1, 2, 3])], "do not fit"),
        ([sample(dims=[2]) | {"batch_size": -1}], "batch_size must be"),
        ([sample(dims=[2], input_data_file="none")], "there is no warmup/none"),
        ([sample(dims=[2], input_data_file="../none")], "must lie in the directory 'warmup'"),
        ([sample(dims=[2], input_data_file="/etc/passwd")], "must lie in the directory 'warmup'"),
        ([sample(dims=[2], input_data_file="linked")], "there is no warmup/linked"),
        ([sample(dims=[2], input_data_file="short")], "short: Tensor 'x' says FP32"),
    ],
)
def test_mistakes_have_sentences(tmp_path, samples, sentence):
    """What cannot be read is said before the model is tried; nothing outside of the directory is."""
    (tmp_path / "warmup").mkdir()
    (tmp_path / "warmup" / "short").write_bytes(b"123")
    (tmp_path / "outside").write_bytes(b"12345678")
    (tmp_path / "warmup" / "linked").symlink_to(tmp_path / "outside")
    with pytest.raises(Failed, match=sentence) as caught:
        recorded(samples, PORTS, tmp_path / "model.onnx")
    assert caught.value.code == "load_failed"


def test_without_samples_zeros_come_before_random_rows():
    """Each is one row."""
    tries = list(guessed(PORTS))
    assert tries[0][0] == "Zeros"
    assert not tries[0][1][0].any()
    assert all(arrays[0].any() for _, arrays in tries[1:])
    assert {len(arrays[0]) for _, arrays in tries} == {1}
