"""The inputs of a Caffe network, as its `.prototxt` names them.

Either at the top (`input`, with `input_shape` or four `input_dim` each) or in layers of type `Input`. The first
dimension is the batch: a network runs with any, so it is free.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from google.protobuf import text_format

from scurry.runtimes.pbtxt import read

Fields = dict[str, list[Any]]


def inputs_in(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """Names and shapes. Raises `ValueError` for what is no network."""
    try:
        network = read(text, _add)
        return list(chain(_at_the_top(network), _in_layers(network)))
    except (text_format.ParseError, KeyError, IndexError, AttributeError, TypeError) as cause:
        raise ValueError(str(cause) or type(cause).__name__) from None


def _at_the_top(network: Fields) -> list[tuple[str, tuple[int, ...]]]:
    names, sizes = network.get("input", []), network.get("input_dim", [])
    shapes = [each.get("dim", []) for each in network.get("input_shape", [])]
    shapes = shapes or [sizes[at : at + 4] for at in range(0, len(sizes), 4)]
    return [(name, _freed(shapes[at])) for at, name in enumerate(names)]


def _in_layers(network: Fields) -> list[tuple[str, tuple[int, ...]]]:
    found = []
    for layer in network.get("layer", []):
        if layer.get("type") == ["Input"]:
            shapes = layer["input_param"][0]["shape"]
            found += [(name, _freed(shapes[min(at, len(shapes) - 1)]["dim"])) for at, name in enumerate(layer["top"])]
    return found


def _freed(sizes: list[int]) -> tuple[int, ...]:
    return (-1, *sizes[1:]) if sizes else ()


def _add(_: Any, found: Fields, name: str, value: Any) -> None:  # noqa: ANN401 - protobuf's tokenizer has no type
    """Whatever is given may be given again."""
    found.setdefault(name, []).extend(value if isinstance(value, list) else [value])
