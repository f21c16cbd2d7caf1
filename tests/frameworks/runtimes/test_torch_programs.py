"""What PyTorch's two kinds of programs say of themselves."""

from __future__ import annotations

import pytest
from tests.frameworks.models import exported, torchscript

from scurry.runtimes.options import Options
from scurry.runtimes.port import Port
from scurry.runtimes.torch_programs import Exported, Script

torch = pytest.importorskip("torch")


class Counting(torch.nn.Module):
    """Takes as long as its input says."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """A loop."""
        for _ in range(int(x.max())):
            x = x + 1
        return x


def test_a_script_names_its_arguments_only(tmp_path):
    """Types and shapes are assumed from outside."""
    script = Script(torch, torchscript(tmp_path / "m.pt"), "cpu", Options())
    assert (script.arguments, script.inputs, script.depends) == (["input"], (), False)
    script.assume([Port("input", "FP32", (-1, 4))])
    assert [each.shape for each in script([torch.zeros(2, 4)])] == [(2, 3)]


def test_loops_are_seen(tmp_path):
    """Such a model's time depends on what it is sent."""
    assert Script(torch, torchscript(tmp_path / "m.pt", Counting()), "cpu", Options()).depends


class Chosen(torch.nn.Module):
    """Has an argument that is no tensor."""

    def forward(self, x: torch.Tensor, times: int, *, more: torch.Tensor) -> torch.Tensor:
        """Times x, and more."""
        return x * times + more


def test_constants_and_keywords_of_an_exported_program_are_kept(tmp_path):
    """What was a number when it was exported stays that number."""
    path = tmp_path / "m.pt2"
    program = torch.export.export(Chosen(), (torch.zeros(2, 2), 3), {"more": torch.zeros(2, 2)})
    torch.export.save(program, str(path))
    opened = Exported(torch, path, "cpu")
    assert [port.name for port in opened.inputs] == ["x", "more"]
    assert opened([torch.ones(2, 2), torch.ones(2, 2)])[0].tolist() == [[4, 4], [4, 4]]
    assert not Exported(torch, exported(tmp_path / "n.pt2"), "cpu").depends
