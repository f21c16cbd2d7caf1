"""Small real models, each made by its own framework."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any


def torch_net() -> Any:
    """A network of a few numbers, the same each time."""
    import torch

    torch.manual_seed(3)
    return torch.nn.Sequential(torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)).eval()


def torchscript(path: Path, net: Any = None) -> Path:
    """The network as TorchScript."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(net or torch_net()).save(str(path))
    return path


def exported(path: Path, net: Any = None, *examples: Any, shapes: Any = None) -> Path:
    """The network as an exported program, its rows free."""
    import torch

    path.parent.mkdir(parents=True, exist_ok=True)
    given = examples or (torch.zeros(2, 4),)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        free = shapes or tuple({0: torch.export.Dim("n")} for _ in given)
        torch.export.save(torch.export.export(net or torch_net(), given, dynamic_shapes=free), str(path))
    return path
