"""`preprocessing` of a config, held against a model's inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scurry.transforms import config, image_input, sparse_input, text_input

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.transforms.specs import Preparation, Spec

NAME: Final = "preprocessing"
KNOWN: Final = image_input.KNOWN | text_input.KNOWN | sparse_input.KNOWN


def parse(entries: object, inputs: Sequence[Spec], read: Mapping[str, Sequence[str]]) -> list[Preparation | None]:
    """For each input of the model how it is made; None: it is taken as it comes. Raises `load_failed`."""
    if not isinstance(entries, list):
        config.refuse(NAME, f"must be a list, not {config.short(entries)}")
    made: dict[str, Preparation] = {}
    for at, entry in enumerate(entries):
        where = f"{NAME}[{at}]"
        given = config.step(where, entry, KNOWN)
        to = _target(where, given, inputs)
        if to.name in made:
            config.refuse(where, f"makes input {to.name!r} a second time")
        made[to.name] = _preparation(where, given, to, read)
    found = [made.get(each.name) for each in inputs]
    _refuse_twins(found, inputs)
    return found


def _preparation(where: str, entry: Mapping[str, Any], to: Spec, read: Mapping[str, Sequence[str]]) -> Preparation:
    if "decode" in entry:
        return image_input.prepare(where, entry, to)
    if "sparse" in entry:
        return sparse_input.prepare(where, entry, to)
    return text_input.prepare(where, entry, to, read)


def _target(where: str, entry: Mapping[str, Any], inputs: Sequence[Spec]) -> Spec:
    """The model's input: by `to`, else by the same name, else the only one."""
    have = {each.name: each for each in inputs}
    name = config.text(where, entry, "to") or config.text(where, entry, "input")
    if name in have:
        return have[name]
    if "to" in entry or len(inputs) != 1:
        config.refuse(where, f"is for input {name!r}; the model has {', '.join(map(repr, have))}")
    return inputs[0]


def _refuse_twins(found: Sequence[Preparation | None], inputs: Sequence[Spec]) -> None:
    """What callers send must have a name of its own."""
    takes = [spec.name for made, own in zip(found, inputs, strict=True) for spec in (made.takes if made else (own,))]
    twice = next((name for name in takes if takes.count(name) > 1), None)
    if twice is not None:
        config.refuse(NAME, f"makes two inputs that callers know as {twice!r}")
