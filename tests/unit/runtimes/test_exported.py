"""Archives that could run code when they are opened, told without PyTorch."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from scurry.runtimes.exported import refuse_code
from scurry.wire.errors import Failed

SIZE = "Add(Integer(1), Mul(Integer(2), Symbol('s77', positive=True, integer=True)))"
GRAPH = {"target": "torch.ops.aten.linear.default", "size": {"expr_str": SIZE}, "name": "p_weight"}


def archive(path: Path, graph: Any = GRAPH, **more: Any) -> Path:
    """A program with that graph and what else there is."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("m/models/model.json", json.dumps({"nodes": [graph]}))
        file.writestr("m/data/weights/weight_0", b"1234")
        for name, value in more.items():
            file.writestr(f"m/{name.replace('__', '/')}", json.dumps(value))
    return path


def test_plain_programs_are_let_through(tmp_path):
    """Registered operators, arithmetic on sizes, plain tensors."""
    refuse_code(archive(tmp_path / "m.pt2"))


@pytest.mark.parametrize(
    "graph",
    [
        {"target": "torch.hub.load"},
        {"target": "torch.ops.load_library"},
        {"target": "torch.serialization.os.system"},
        {"target": "torch.ops.aten.__class__.mro"},
        {"target": "_operator.methodcaller"},
        {"target": "_operator.call"},
        {"target": "#module:function"},
        {"expr_str": "__import__('os').system('true')"},
        {"expr_str": "exec(chr(97))"},
        {"expr_str": "Symbol('s0').subs(eval)"},
        {"expr_str": "Symbol('s0', positive=open('x'))"},
        {"in_spec": '[1, {"context": {"__enum__": true, "fqn": "os:x"}}]'},
        {"in_spec": '[1, {"context": {"default_factory_module": "os"}}]'},
        {"config": {"w": {"use_pickle": True}}},
    ],
)
def test_whatever_torch_would_evaluate_or_follow_is_refused(tmp_path, graph):
    """Each by a sentence."""
    with pytest.raises(Failed, match="is not opened, because that could run code") as caught:
        refuse_code(archive(tmp_path / "m.pt2", graph))
    assert caught.value.code == "load_failed"


@pytest.mark.parametrize("name", ["data__aotinductor__m__m.so", "data__constants__opaque_obj_0", "extra__x"])
def test_what_is_no_program_is_refused(tmp_path, name):
    """Compiled libraries, pickled objects, whatever else."""
    with pytest.raises(Failed, match="it holds"):
        refuse_code(archive(tmp_path / "m.pt2", **{name: 1}))


def test_a_file_that_is_no_archive_is_said(tmp_path):
    """Truncated, or something else."""
    path = archive(tmp_path / "m.pt2")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(Failed, match="is no exported program: File is not a zip file"):
        refuse_code(path)
