"""Layouts of padded requests, and what of the outputs is theirs.

Requests whose padded shapes are equal may be stacked. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from scurry.runtimes.padding import NOT_PADDED, PaddingRule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scurry.inference.layouts import InputLayout
    from scurry.runtimes.port import Port
    from scurry.wire.tensors import Array

Rules = Mapping[str, PaddingRule]


def pad_layout(layout: InputLayout, inputs: Sequence[Port], rules: Rules) -> InputLayout:
    """The layout with its padding, and the group of all that look alike once padded."""
    padded = tuple(
        rules[port.name].padded(shape[1]) if port.name in rules else NOT_PADDED
        for port, shape in zip(inputs, layout.shapes, strict=True)
    )
    group = tuple(
        (datatype, (each.size, *tail[1:]) if each is not NOT_PADDED else tail)
        for (datatype, tail), each in zip(layout.group, padded, strict=True)
    )
    return replace(layout, padded=padded, group=group)


def trimmed(
    layout: InputLayout, inputs: Sequence[Port], outputs: Sequence[Port], rules: Rules, arrays: Sequence[Array]
) -> list[Array]:
    """A request's outputs, cut back to its own length where the rules say that they have one."""
    lengths = {
        name: each.length
        for port, each in zip(inputs, layout.padded, strict=True)
        if port.name in rules
        for name in rules[port.name].trims
    }
    return [
        array[:, : lengths[port.name]] if port.name in lengths and array.ndim > 1 else array
        for port, array in zip(outputs, arrays, strict=True)
    ]
