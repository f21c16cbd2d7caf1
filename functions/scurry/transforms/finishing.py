"""`postprocessing` of a config, held against a model's outputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from scurry.transforms import classes, config
from scurry.transforms.specs import Spec
from scurry.wire.tensors import DTYPES, Array

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

NAME: Final = "postprocessing"
KNOWN: Final = frozenset(
    {"output", "to", "drop", "keep", "scale", "sigmoid", "softmax", "threshold", "argmax", "top", "labels"}
)
MOST_TOP: Final = 65536


@dataclass(frozen=True, slots=True)
class Finish:
    """What one output of the model becomes: after the steps, itself, the largest, their labels."""

    gives: tuple[Spec, ...]
    steps: tuple[Callable[[Array], Array], ...] = ()
    itself: bool = True
    top: int = 0
    only: bool = False  # the one largest, without a dimension for it
    labels: tuple[bytes, ...] = ()

    def apply(self, output: Array) -> list[Array]:
        """The tensors that callers get for it."""
        for each in self.steps:
            output = each(output)
        made = [output] if self.itself else []
        if not self.top:
            return [*made, classes.labelled(output, self.labels)] if self.labels else made
        places = classes.largest(output, self.top)
        if not self.only:
            made.append(np.take_along_axis(output, places, -1))
        places = places[..., 0] if self.only else places
        made.append(places.astype(np.int64))
        return [*made, classes.labelled(places, self.labels)] if self.labels else made


def parse(entries: object, outputs: Sequence[Spec], read: Mapping[str, Sequence[str]]) -> list[Finish]:
    """For each output of the model what callers get. Raises `load_failed`."""
    if not isinstance(entries, list):
        config.refuse(NAME, f"must be a list, not {config.short(entries)}")
    have = {each.name: each for each in outputs}
    made: dict[str, Finish] = {}
    for at, entry in enumerate(entries):
        where = f"{NAME}[{at}]"
        given = config.step(where, entry, KNOWN)
        name = config.text(where, given, "output", outputs[0].name if len(outputs) == 1 else "")
        if name not in have:
            config.refuse(where, f"is for output {name!r}; the model has {', '.join(map(repr, have))}")
        if name in made:
            config.refuse(where, f"is for output {name!r} a second time")
        made[name] = _finish(where, given, have[name], read)
    found = [made.get(each.name, Finish((each,))) for each in outputs]
    names = [spec.name for finish in found for spec in finish.gives]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or not names:
        config.refuse(NAME, "leaves no output" if twice is None else f"gives two outputs called {twice!r}")
    return found


def _finish(where: str, entry: Mapping[str, Any], output: Spec, read: Mapping[str, Sequence[str]]) -> Finish:
    if config.flag(where, entry, "drop"):
        return Finish((), itself=False)
    steps, datatype = _steps(where, entry, output)
    only = config.flag(where, entry, "argmax")
    if only and "top" in entry:
        config.refuse(where, "has argmax and top; top 1 also gives the value")
    top = 1 if only else config.whole(f"{where}.top", entry["top"], 1, MOST_TOP) if "top" in entry else 0
    texts = config.lines(f"{where}.labels", entry["labels"], read) if "labels" in entry else ()
    labels = tuple(each.encode() for each in texts)
    _check(where, output, datatype, top, labels)
    itself = not top or config.flag(where, entry, "keep")
    name = config.text(where, entry, "to", output.name)
    result = Spec(name, datatype, output.shape)
    return Finish(tuple(_gives(result, top, itself=itself, only=only, labels=labels)), steps, itself, top, only, labels)


def _gives(result: Spec, top: int, *, itself: bool, only: bool, labels: Sequence[bytes]) -> list[Spec]:
    name, datatype, shape = result
    made = [result] if itself else []
    if top:
        shape = shape[:-1] if only else (*shape[:-1], min(top, shape[-1]) if shape[-1] >= 0 else -1)
        made += [] if only else [Spec(f"{name}_values", datatype, shape)]
        made.append(Spec(f"{name}_indices", "INT64", shape))
    return [*made, Spec(f"{name}_labels", "BYTES", shape)] if labels else made


def _steps(where: str, entry: Mapping[str, Any], output: Spec) -> tuple[tuple[Callable[[Array], Array], ...], str]:
    """The steps in their order, and the type of what comes out of them."""
    steps: list[Callable[[Array], Array]] = []
    if "scale" in entry:
        steps.append(classes.scaled(config.number(f"{where}.scale", entry["scale"])))
    named = {"sigmoid": classes.sigmoid, "softmax": classes.softmax}
    steps += [step for name, step in named.items() if config.flag(where, entry, name)]
    dtype = DTYPES.get(output.datatype)
    if steps and (dtype is None or dtype.kind != "f"):
        config.refuse(where, f"is for numbers of floating point; output {output.name!r} is {output.datatype}")
    if config.flag(where, entry, "softmax"):
        _refuse_mixed_rows(f"{where}.softmax", output)
    if "threshold" not in entry:
        return tuple(steps), output.datatype
    if dtype is None:
        config.refuse(f"{where}.threshold", f"is for numbers; output {output.name!r} is {output.datatype}")
    return (*steps, classes.above(config.number(f"{where}.threshold", entry["threshold"]))), "BOOL"


def _check(where: str, output: Spec, datatype: str, top: int, labels: Sequence[bytes]) -> None:
    """Whether the largest can be chosen, and whether there is a label for each."""
    if not top:
        if labels and DTYPES.get(datatype, np.dtype("f4")).kind not in "iu":
            config.refuse(f"{where}.labels", f"needs top or argmax: output {output.name!r} is {datatype}, not places")
        return
    if datatype == "BYTES":
        config.refuse(where, f"chooses the largest of numbers; output {output.name!r} is BYTES")
    _refuse_mixed_rows(where, output)
    size = output.shape[-1]
    if size == 0 or 0 <= size < top:
        config.refuse(f"{where}.top", f"is {top}, but output {output.name!r} is {list(output.shape)}")
    if labels and size >= 0 and len(labels) != size:
        count = len(labels)
        config.refuse(f"{where}.labels", f"has {count} labels, but output {output.name!r} is {list(output.shape)}")


def _refuse_mixed_rows(where: str, output: Spec) -> None:
    """Along the last dimension means across rows where that is the only one."""
    if not output.shape or (len(output.shape) == 1 and output.shape[0] < 0):
        config.refuse(where, f"works along the last dimension; output {output.name!r} is {list(output.shape)}")
