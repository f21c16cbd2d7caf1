"""Whether opening an exported PyTorch program (`.pt2`) could run code.

torch.export.load unpickles some parts of the archive, evaluates the expressions of free dimensions, imports what
describes containers, finds operators by walking attributes, and maps compiled libraries into the process. So what the
archive holds is looked at first: only plain tensors, arithmetic on sizes and registered operators are let through.
"""

from __future__ import annotations

import json
import re
import zipfile
from typing import TYPE_CHECKING, Any, Final

from scurry.wire.errors import Failed

if TYPE_CHECKING:
    from pathlib import Path

ENTRIES: Final = re.compile(
    r"(data/(weights/(weight_\d+|model_weights_config\.json)|constants/(tensor_\d+|model_constants_config\.json)"
    r"|sample_inputs/model\.pt)|models/model\.json|archive_format|archive_version|byteorder|version|\.data/\w+)"
)
"""What an archive may hold, below its own folder."""
OPERATORS: Final = re.compile(
    r"torch\.ops\.higher_order\.[a-z]\w*|torch\.ops(\._?[A-Za-z]\w*){3}|torch\.sym_[a-z]+|math\.[a-z0-9]+"
    r"|_operator\.(getitem|add|sub|mul|truediv|floordiv|mod|pow|neg|pos|abs|and_|or_|not_|eq|ne|lt|le|gt|ge|lshift|rshift)"
)
WORDS: Final = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")
SIGNS: Final = re.compile(r"[A-Za-z_0-9 +\-*/(),<>=&|~.]*")
FUNCTIONS: Final = frozenset(
    {"Max", "Min", "Mod", "PythonMod", "FloorDiv", "CleanDiv", "CeilDiv", "ModularIndexing", "IntTrueDiv",
     "FloatTrueDiv", "ToFloat", "TruncToInt", "RoundToInt", "FloorToInt", "CeilToInt", "PowByNatural", "FloatPow",
     "Where", "Piecewise", "Identity", "Abs", "Eq", "Ne", "Lt", "Le", "Gt", "Ge", "And", "Or", "Not", "True", "False",
     "Symbol", "Integer", "Rational", "Float", "Add", "Mul", "Pow", "oo", "int_oo", "floor", "ceiling",
     "positive", "negative", "nonnegative", "nonzero", "integer", "real", "finite"}
)  # fmt: skip
SYMBOL: Final = re.compile(r"(s|u|z|f|zf|zuf|zu)\d+")
QUOTED: Final = re.compile(r"Symbol\('([a-z]+\d+)'")
IMPORTING: Final = ("__enum__", "default_factory")
"""Keys in the description of a container that make torch import what they name."""


def refuse_code(path: Path) -> None:
    """Raise `load_failed` for a program whose opening could run code, or which is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                inside = name.partition("/")[2]
                if not ENTRIES.fullmatch(inside):
                    raise _refused(path, f"it holds {inside or name!r}")
                if inside.endswith(".json"):
                    _check(path, "", json.loads(archive.read(name)))
    except (zipfile.BadZipFile, ValueError, RecursionError) as cause:
        raise Failed("load_failed", f"{path} is no exported program: {cause}.") from None


def _check(path: Path, key: str, value: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """Look at every string that torch would evaluate, import or follow."""
    if isinstance(value, dict):
        for inner, each in value.items():
            _check(path, inner, each)
    elif isinstance(value, list):
        for each in value:
            _check(path, key, each)
    elif key == "use_pickle" and value:
        raise _refused(path, "a tensor of it is pickled")
    elif isinstance(value, str):
        _check_text(path, key, value)


def _check_text(path: Path, key: str, text: str) -> None:
    if any(word in text for word in IMPORTING):
        raise _refused(path, f"{key!r} names something to import")
    if key == "target" and _is_followed(text) and not OPERATORS.fullmatch(text):
        raise _refused(path, f"{text!r} is no operator of PyTorch")
    if key == "expr_str" and not _is_arithmetic(text):
        raise _refused(path, f"the size {text!r} is more than arithmetic")


def _is_followed(target: str) -> bool:
    """Whether torch walks attributes from there; other targets are names of weights."""
    return target.startswith(("torch", "_operator", "math", "#"))


def _is_arithmetic(text: str) -> bool:
    text = QUOTED.sub(r"Symbol(\1", text)
    if not SIGNS.fullmatch(text):
        return False
    return all(word in FUNCTIONS or SYMBOL.fullmatch(word) for word in WORDS.findall(text))


def _refused(path: Path, why: str) -> Failed:
    return Failed("load_failed", f"{path} is not opened, because that could run code: {why}.")
