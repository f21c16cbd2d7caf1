"""Parameters of an onnxruntime session."""

from __future__ import annotations

import onnxruntime
import pytest

from scurry.runtimes.onnx_settings import LEVELS, MODES, NUMBERS, apply
from scurry.wire.errors import Failed


def test_every_parameter_has_an_effect():
    """The words of the tables are onnxruntime's own."""
    settings = onnxruntime.SessionOptions()
    for name, (attribute, _, high) in NUMBERS.items():
        apply(onnxruntime, settings, {name: str(high)})
        assert getattr(settings, attribute) == high
    for value, name in MODES.items():
        apply(onnxruntime, settings, {"execution_mode": value})
        assert settings.execution_mode.name == name
    for value, name in LEVELS.items():
        apply(onnxruntime, settings, {"graph_optimization_level": value})
        assert settings.graph_optimization_level.name == name
    apply(onnxruntime, settings, {"session.set_denormal_as_zero": "1"})
    assert settings.get_session_config_entry("session.set_denormal_as_zero") == "1"


def test_what_has_none_is_told():
    """Entries that name files among them."""
    names = {"session.model_external_initializers_file_folder_path": "/", "wings": "2"}
    assert apply(onnxruntime, onnxruntime.SessionOptions(), names) == tuple(names)


@pytest.mark.parametrize("wrong", ["intra_op_thread_count=-1", "enable_mem_arena=2", "execution_mode=x"])
def test_values_are_checked(wrong):
    """By a sentence that names them."""
    name, _, value = wrong.partition("=")
    with pytest.raises(Failed, match=f"Parameter {name!r} must be"):
        apply(onnxruntime, onnxruntime.SessionOptions(), {name: value})
