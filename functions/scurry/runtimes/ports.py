"""Tensors of models that cannot tell themselves what they take.

They are written as the Open Inference Protocol describes tensors: `name`, `datatype` and `shape`, -1 being any size.
"""

from __future__ import annotations

from typing import Final

from scurry.runtimes.port import Port
from scurry.wire.errors import Failed
from scurry.wire.limits import DIMENSIONS
from scurry.wire.tensors import DTYPES

NAMES: Final = frozenset({"name", "datatype", "shape"})


def read_ports(what: str, stated: object) -> tuple[Port, ...]:
    """The tensors of a list. Raises `load_failed` with the first that makes no sense."""
    if not isinstance(stated, (list, tuple)):
        raise Failed("load_failed", f"`{what}` must be a list of objects with name, datatype and shape.")
    ports = tuple(_port(f"{what}[{at}]", each) for at, each in enumerate(stated))
    names = [port.name for port in ports]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise Failed("load_failed", f"`{what}` has {twice!r} twice.")
    return ports


def _port(where: str, each: object) -> Port:
    if not isinstance(each, dict) or set(each) != NAMES:
        raise Failed("load_failed", f"`{where}` must have name, datatype and shape, and no more, not {each!r}.")
    name, datatype, shape = each["name"], each["datatype"], each["shape"]
    if not isinstance(name, str) or not name:
        raise Failed("load_failed", f"`{where}`: name must be a text, not {name!r}.")
    if datatype != "BYTES" and datatype not in DTYPES:
        known = ", ".join((*DTYPES, "BYTES"))
        raise Failed("load_failed", f"`{where}`: datatype must be one of {known}, not {datatype!r}.")
    if not isinstance(shape, (list, tuple)) or len(shape) > DIMENSIONS or not all(map(_is_size, shape)):
        raise Failed("load_failed", f"`{where}`: shape must be a list of whole numbers from -1, not {shape!r}.")
    return Port(name, datatype, tuple(shape))


def _is_size(size: object) -> bool:
    return isinstance(size, int) and not isinstance(size, bool) and size >= -1


def features(stated: object, datatype: str, count: int) -> Port:
    """The one input of a model that takes rows of so many features: `x`, unless it is stated. Raises `load_failed`."""
    if stated is None:
        return Port("x", datatype, (-1, count))
    ports = read_ports("inputs", stated)
    if len(ports) != 1 or ports[0].shape not in {(-1, count), (-1, -1)}:
        raise Failed("load_failed", f"`inputs` must be one tensor of shape [-1, {count}]: rows of features.")
    return ports[0]
