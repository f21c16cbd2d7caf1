"""Opens a model together with what its config puts before and after it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final, cast

from scurry.inference.labels import labels_beside
from scurry.inference.pipeline import Pipeline
from scurry.runtimes.catalog import registered
from scurry.runtimes.fingerprints import fingerprint
from scurry.runtimes.sequence_config import NAME as SEQUENCES
from scurry.runtimes.sequence_config import state_files
from scurry.runtimes.sequences import first_state
from scurry.transforms import finishing, preparing
from scurry.transforms.specs import Spec
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scurry.inference.shelf import Models
    from scurry.runtimes.catalog import Subject
    from scurry.runtimes.files import ModelFile
    from scurry.runtimes.port import Port
    from scurry.runtimes.runtime import Runtime
    from scurry.wire.messages_pb2 import ModelSpec

STEPS: Final = (preparing.NAME, finishing.NAME)
MOST_BYTES: Final = 64 << 20
"""Size of a file with labels or a vocabulary."""


class PipelineOpener:
    """Opens models that begin and end with their config's steps; one without any is the bare model."""

    def __init__(self, opener: Models, root: str = "") -> None:
        self._opener, self._within = opener, root

    def find(self, model: str, version: str, spec: ModelSpec) -> Subject:
        """The files of a spec, with those that its steps name: they make the model what it is as well."""
        subject = self._opener.find(model, version, spec)
        named = self._named(subject.file, spec.config)
        return _made_of(subject, [*subject.file.external, *named]) if named else subject

    def open(self, subject: Subject, config: str) -> Runtime:
        """The open pipeline. Raises `load_failed`."""
        steps = _steps(subject.file, config)
        named = len(self._named(subject.file, config))
        own = _made_of(subject, subject.file.external[:-named]) if named else subject
        model = self._opener.open(own, config)
        try:
            whole = self._with_steps(model, subject, steps) if any(steps.values()) else model
            labels = labels_beside(_values(subject.file, config), partial(self._beside, subject.file))
            whole.labels, whole.warnings = labels.found, [*whole.warnings, *labels.warnings]
            return whole
        except BaseException:
            model.close()
            raise

    def _with_steps(self, model: Runtime, subject: Subject, steps: Mapping[str, Any]) -> Runtime:
        if model.sequences is not None:
            raise Failed("load_failed", f"A model with sequence_batching has no steps around it: {subject.file.path}.")
        if fingerprint(subject.file.all) != subject.fingerprint:
            raise Failed("load_failed", f"{subject.file.path} or what is beside it was changed while it was opened.")
        read = {name: _lines(self._beside(subject.file, name)) for name in _files_named(steps)}
        prepared = preparing.parse(steps[preparing.NAME], _specs(model.inputs), read)
        finishes = finishing.parse(steps[finishing.NAME], _specs(model.outputs), read)
        return cast("Runtime", Pipeline(model, prepared, finishes))

    def _named(self, file: ModelFile, config: str) -> list[Path]:
        """The files that a config names: for its steps, and first states of sequences."""
        values = _values(file, config)
        return [
            *(self._beside(file, name) for name in _files_named(_steps(file, config))),
            *(self._inside(file, first_state(name, file.path)) for name in state_files(values.get(SEQUENCES))),
        ]

    def _inside(self, file: ModelFile, path: Path) -> Path:
        """The path, if it lies where this process' models do. Raises `load_failed`."""
        root = "" if file.lease is not None else self._within  # what was fetched lies in a place of its own
        if root and not path.resolve().is_relative_to(Path(root).resolve()):
            raise Failed("load_failed", f"{path} lies outside of {root}, where this worker's models are.")
        return path

    def _beside(self, file: ModelFile, name: str) -> Path:
        """A file in the directory of the model's file, or above that of a version. Raises `load_failed`."""
        directory = file.path.parent
        if PurePath(name).name != name:
            raise Failed("load_failed", f"{name!r} in the config must be the name of a file beside the model.")
        for path in (directory / name, *([directory.parent / name] if directory.name.isdecimal() else [])):
            if path.is_file():
                return self._inside(file, path)
        raise Failed("load_failed", f"There is no file {name!r} beside {file.path}, which the config names.")


def _made_of(subject: Subject, external: Sequence[Path]) -> Subject:
    """The same with other files beside its own."""
    file = replace(subject.file, external=tuple(external))
    return replace(subject, file=file, fingerprint=fingerprint(file.all))


def _steps(file: ModelFile, config: str) -> dict[str, Any]:
    """What is to be done before and after; what was registered counts before what lies beside the model."""
    values = _values(file, config)
    return {name: values.get(name, []) for name in STEPS}


def _values(file: ModelFile, config: str) -> dict[str, Any]:
    """What was registered, and what lies beside the model."""
    return {**file.config, **registered(config)}


def _files_named(steps: Mapping[str, Any]) -> list[str]:
    """The files that steps name, where they name some; whether they may is checked when they are parsed."""
    entries = [entry for name in STEPS if isinstance(steps[name], list) for entry in steps[name]]
    found: dict[str, None] = {}
    for entry in entries:
        lookup = entry.get("lookup") if isinstance(entry, dict) else None
        named = [entry.get("labels")] if isinstance(entry, dict) else []
        named += [lookup.get("vocabulary")] if isinstance(lookup, dict) else []
        found |= {name: None for name in named if isinstance(name, str)}
    return list(found)


def _lines(path: Path) -> list[str]:
    """The lines of a file; the last may be empty. Raises `load_failed`."""
    if path.stat().st_size > MOST_BYTES:
        raise Failed("load_failed", f"{path} has more than {MOST_BYTES} bytes.")
    try:
        return path.read_text().splitlines()
    except UnicodeDecodeError:
        raise Failed("load_failed", f"{path} is not UTF-8 text.") from None


def _specs(ports: Sequence[Port]) -> list[Spec]:
    return [Spec(port.name, port.datatype, port.shape) for port in ports]
