"""Properties that OpenVINO compiles a model with."""

from __future__ import annotations

import pytest

from scurry.runtimes.openvino_settings import properties, shapes
from scurry.runtimes.options import Options
from scurry.wire.errors import Failed


def test_answers_do_not_depend_on_the_machine_unless_told(tmp_path):
    """FP32 and few threads are the default on a processor; another device decides for itself."""
    assert properties(Options(), "CPU", 2, tmp_path) == (
        {"INFERENCE_NUM_THREADS": 2, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"}, ()
    )  # fmt: skip
    for device in ("AUTO:CPU", "HETERO:CPU", "MULTI:CPU"):
        assert properties(Options(), device, 2, tmp_path) == properties(Options(), "CPU", 2, tmp_path)
    for device in ("AUTO", "HETERO:GPU,CPU"):
        assert properties(Options(), device, 2, tmp_path)[0] == {
            "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32",
        }  # fmt: skip
    assert properties(Options(), "GPU", 2, tmp_path) == ({}, ())
    told = Options(parameters={"INFERENCE_PRECISION_HINT": "bf16", "CACHE_DIR": "/etc"}, cache_dir="a/b")
    found, idle = properties(told, "CPU", 2, tmp_path)
    assert (found["INFERENCE_PRECISION_HINT"], found["CACHE_DIR"], idle) == (
        "bf16", str((tmp_path / "a/b").resolve()), ("CACHE_DIR",)
    )  # fmt: skip


@pytest.mark.parametrize("name", ["..", "/etc", "a/../..", "."])
def test_a_folder_elsewhere_is_refused(tmp_path, name):
    """Whoever registers a model writes nowhere else."""
    with pytest.raises(Failed, match="'cache_dir' must be a folder beside the model"):
        properties(Options(cache_dir=name), "CPU", 1, tmp_path)


def test_shapes_are_lists_of_sizes():
    """By the name of an input."""
    assert shapes({"x": [1, -1]}, {"x": "port"}) == {"port": [1, -1]}
    for sizes in ("1", [1.5], [-2], [True]):
        with pytest.raises(Failed, match="'reshape' of 'x' must be a list of sizes"):
            shapes({"x": sizes}, {"x": "port"})
