"""What a model is tried with when it was opened."""

from __future__ import annotations

import numpy as np
import pytest
from tests.unit.inference.toys import Toy

from scurry.runtimes.port import Port
from scurry.runtimes.trial import TIMED_RUNS, timed, try_out


def test_the_first_sample_that_runs_is_what_a_sound_model_answers():
    """Zeros here; what it took is noted."""
    model = Toy()
    model.baseline = None
    try_out(model)
    assert model.baseline is not None
    assert (model.baseline.inputs[0] == 0).all()
    assert model.warnings == []


def test_a_model_that_runs_with_nothing_is_a_warning():
    """One sentence, and no baseline."""

    def refuse(x):
        raise ValueError("no")

    model = Toy(refuse)
    model.baseline = None
    try_out(model)
    assert model.baseline is None
    assert len(model.warnings) == 1


def test_a_model_of_large_inputs_is_not_tried():
    """The record says so; a sample of its own would be run."""
    model = Toy(lambda _: pytest.fail("it was run"))
    model.baseline, model.inputs = None, (Port("x", "FP32", (-1, 1 << 40)),)
    try_out(model)
    assert model.baseline is None
    assert model.warnings == [
        "The model is not tried before its first request: 1 made-up row would take 4,194,304 MiB of memory. "
        "A sample in model_warmup is."
    ]


def test_a_quick_model_is_timed_several_times():
    """The shortest run tells what one takes."""
    model = Toy()
    timed(model, [np.zeros((1, 2), np.float32)])
    assert len(model.seen) == 1 + TIMED_RUNS
    assert model.seconds >= 0
