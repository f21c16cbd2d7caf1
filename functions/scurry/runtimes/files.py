"""Finds the file of one model version behind a `uri`.

A model is a file, or TensorFlow's SavedModel, a directory with a `saved_model.pb`: taken here as one file that ends in
`.savedmodel`, whatever it is called.

A `uri` (a path, below `models_root` when relative, or `file://` and a path) may be, in this order:

1. a model file, or a SavedModel;
2. a directory with the files of one model: `model.<suffix>`, else the only file with a known suffix (or `saved_model`);
3. a repository in which name and version pick the directory: `<uri>/<name>/<version>/`, or `<uri>/<version>/`
   when the directory of the model itself was given.

With a `models_root` model, weights and config must lie below that directory once links are resolved.

Options may lie beside it: in a `config.json`, or in Triton's `config.pbtxt`, there or in the directory above that of
the version. What is given at registration wins over the first, the first over the second.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from scurry.runtimes.external import external_files
from scurry.runtimes.pbtxt import parse
from scurry.wire.checksums import LISTS
from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from collections.abc import Sequence

CONFIG = "config.json"
PBTXT = "config.pbtxt"
NAMED = "default_model_filename"
"""Which of several files it is, in Triton's words."""
BESIDE = ("{file.stem}.bin", "{file.name}.data", "{file.name}_data", "{file.stem}.pdiparams")
"""What exporters call a model's weights: OpenVINO's, those of ONNX, Paddle's."""
FOLDER = ".savedmodel"
"""How Triton calls a SavedModel's directory, and what stands for the suffix of any."""
GRAPH = "saved_model.pb"
"""What makes a directory one."""
MOST_FILES = 10_000
"""A directory with more files is no model."""


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The file to open and the options that lie beside it."""

    path: Path
    config: dict[str, Any] = field(default_factory=dict)
    external: tuple[Path, ...] = ()
    bytes: int = 0  # of all parts, when it was found
    lease: object = None  # what keeps the files where they are for whoever may open them again

    @property
    def all(self) -> list[Path]:
        """Every file that makes the model what it is: its parts, and the configs beside it."""
        configs = (each for each in _config_places(_home(self.path)) if _is_file(each) and each not in self.parts)
        return [*self.parts, *configs]

    @property
    def parts(self) -> list[Path]:
        """The file and its weights: those called after it and those that it names; all files of a SavedModel."""
        if self.path.is_dir():
            return _files_below(self.path)
        beside = (self.path.with_name(form.format(file=self.path)) for form in BESIDE)
        return sorted(each for each in {self.path, *beside, *self.external} if _is_file(each))


def _is_file(path: Path) -> bool:
    """Whether there is such a file; a name that is too long for one is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def suffix_of(path: Path) -> str:
    """By which a runtime tells that it can open this."""
    return FOLDER if _is_file(path / GRAPH) else path.suffix.replace(FOLDER, "")


def locate(
    uri: str, model: str, version: str, suffixes: Sequence[str], root: str = "", *, named: object = None
) -> ModelFile:
    """The file for a version, suffixes tried in order. Raises `load_failed` with what was looked for and where.

    `named` is what it is called according to the registration, whatever a config beside it says.
    """
    path = _inside(root, _local(uri, root))
    if path.is_file() or (path.is_dir() and suffix_of(path) in suffixes):
        if named and path.name != named:
            raise Failed("load_failed", f"The uri names {path.name!r}, but {NAMED} in the config {named!r}.")
        if suffix_of(path) not in suffixes:
            raise Failed("load_failed", f"{path} ends in {path.suffix!r}, but this runtime opens {_list(suffixes)}.")
        return _checked(path, root)
    if not path.is_dir():
        raise Failed("load_failed", f"There is no file or directory {path} on this worker.")
    for directory in (path, path / model / version, path / version):
        found = _model_in(directory, suffixes, root, named)
        if found is not None:
            return _checked(found, root)
    raise Failed(
        "load_failed",
        f"{path} holds no model: looked for a file ending in {_list(suffixes)} in it, in {model}/{version} and in "
        f"{version}{_others(path, model)}.",
    )


def locate_config(uri: str, model: str, version: str, root: str = "") -> ModelFile | None:
    """The config of a model that has no other file; None where there is none. Raises `load_failed`."""
    path = _inside(root, _local(uri, root))
    if path.is_file():
        return ModelFile(path, _read_config(path)) if path.suffix in {".json", ".pbtxt"} else None
    for directory in (path, path / model / version, path / version):
        for place in _config_places(directory):
            if _inside(root, place).is_file():
                return ModelFile(place, _config_beside(directory, root))
    return None


def _local(uri: str, root: str) -> Path:
    if not uri:
        raise Failed("load_failed", "The model was registered without a uri.")
    if "://" in uri:
        parts = urlsplit(uri)
        if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
            raise Failed("load_failed", f"Only paths and file:// are opened, not {uri!r}.")
        uri = unquote(parts.path)
    return (Path(root) / Path(uri).expanduser()).absolute()


def _inside(root: str, path: Path) -> Path:
    """The path, if it lies below the root wherever links lead. Raises `load_failed`."""
    if root and not path.resolve().is_relative_to(Path(root).resolve()):
        raise Failed("load_failed", f"{path} lies outside of {root}, where this worker's models are (models_root).")
    return path


def _checked(path: Path, root: str) -> ModelFile:
    """The model at a path: everything that will be opened for it lies below the root."""
    file = ModelFile(path, _config_beside(_home(_inside(root, path)), root), external_files(path))
    size = sum(_inside(root, part).stat().st_size for part in file.parts)
    return replace(file, bytes=size)


def _model_in(directory: Path, suffixes: Sequence[str], root: str, named: object) -> Path | None:
    if not directory.is_dir():
        return None
    name = str(named or _config_beside(directory, root).get(NAMED) or "")
    if name:
        file = directory / name
        if Path(name).name != name or not (file.is_file() or suffix_of(file) == FOLDER):
            raise Failed("load_failed", f"There is no file {name!r} in {directory}, which {NAMED} in its config names.")
        if suffix_of(file) not in suffixes:
            raise Failed("load_failed", f"{file} is none of {_list(suffixes)}, which this runtime opens.")
        return file
    for suffix in suffixes:
        if suffix == FOLDER == suffix_of(directory):
            return directory
        usual = directory / f"model{suffix}"
        if _is_model(usual, suffix):
            return usual
        files = sorted(each for each in directory.iterdir() if _is_model(each, suffix))
        if len(files) == 1:
            return files[0]
        if files:
            names = ", ".join(each.name for each in files)
            raise Failed("load_failed", f"{directory} holds several models ({names}): name one in the uri.")
    return None


def _is_model(path: Path, suffix: str) -> bool:
    return suffix_of(path) == suffix and path.name not in {CONFIG, *LISTS} and (suffix == FOLDER or _is_file(path))


def _home(path: Path) -> Path:
    """Where a model's config may lie: in a SavedModel itself, unless that is called like one among other files."""
    return path if path.is_dir() and path.suffix != FOLDER and path.name != "saved_model" else path.parent


def _files_below(directory: Path) -> list[Path]:
    """Every file below, links followed."""
    found: list[Path] = []
    for folder, _, names in os.walk(directory, followlinks=True):
        found += [Path(folder, name) for name in names]
        if len(found) > MOST_FILES:
            raise Failed("load_failed", f"{directory} holds more than {MOST_FILES} files: it is no model.")
    return sorted(found)


def _config_beside(directory: Path, root: str) -> dict[str, Any]:
    """Options of a model, those of a `config.json` before those of a `config.pbtxt`."""
    merged: dict[str, Any] = {}
    for path in _config_places(directory):
        if not _inside(root, path).is_file():
            continue
        merged = {**_read_config(path), **merged}
    return merged


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_bytes()) if path.suffix == ".json" else parse(path.read_text())
    except ValueError as cause:
        kind = "JSON" if path.suffix == ".json" else "text that protobuf can read"
        raise Failed("load_failed", f"{path} is not {kind}: {cause}.") from None
    if not isinstance(config, dict):
        raise Failed("load_failed", f"{path} must hold a JSON object.")
    return config


def _config_places(directory: Path) -> list[Path]:
    """Where configs of a model may lie; in the directory above only if this one is called like a version."""
    above = [directory.parent / PBTXT] if directory.name.isdecimal() else []
    return [directory / CONFIG, directory / PBTXT, *above]


def _list(suffixes: Sequence[str]) -> str:
    return " or ".join(suffixes)


def _others(path: Path, model: str) -> str:
    """Versions that are there instead, for whoever named none and meant one of them."""
    places = (path, path / model)
    found = sorted({each.name for place in places if place.is_dir() for each in place.iterdir() if each.name.isdigit()})
    return f"; there is a version {_list(found)}" if found else ""
