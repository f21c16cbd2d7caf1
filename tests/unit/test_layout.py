"""The house rules that a machine can check: sentences, sizes, faces."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(path for path in (ROOT / "functions" / "scurry").rglob("*.py") if not path.stem.endswith("_pb2"))
PARSED = {path: ast.parse(path.read_text()) for path in SOURCES}
TESTS = {(path.parent.name, path.stem) for path in (ROOT / "tests").rglob("test_*.py")}
LONGEST_FILE, LONGEST_CLASS, LONGEST_FUNCTION, LONGEST_FACE = 250, 120, 30, 40

FOREIGN = {"handle_error"}
"""Methods that a library calls by that name."""


def name(path: Path) -> str:
    """A source file as it is shown."""
    return str(path.relative_to(ROOT / "functions"))


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_every_file_opens_with_one_sentence(path: Path) -> None:
    """The first line says what the file is for, in under 70 characters."""
    first = (ast.get_docstring(PARSED[path]) or "").split("\n")[0]
    assert first.endswith((".", ":")), first
    assert len(first) < 70, first


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_file_is_too_long(path: Path) -> None:
    """A file holds one concept; a face only names what others define."""
    lines = len(path.read_text().splitlines())
    assert lines <= (LONGEST_FACE if path.name == "__init__.py" else LONGEST_FILE)


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_class_is_too_long(path: Path) -> None:
    """A class holds one thing, its docstrings counted."""
    for node in ast.walk(PARSED[path]):
        if isinstance(node, ast.ClassDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= LONGEST_CLASS, f"{node.name}: {length} lines"


@pytest.mark.parametrize("path", [path for path in SOURCES if not path.name.startswith("_")], ids=name)
def test_every_module_has_a_test_file_of_its_own_name(path: Path) -> None:
    """Who opens `registry/steps.py` finds what it promises in a `test_steps.py`."""
    package, module = path.parent.name, path.stem
    found = TESTS & {(folder, f"test_{module}") for folder in (package, "unit", "integration")}
    assert found, f"tests/unit/{package}/test_{module}.py is missing"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_no_function_is_too_long(path: Path) -> None:
    """A function fits on a screen, its docstring not counted."""
    for node in ast.walk(PARSED[path]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            length = (node.end_lineno or 0) - node.lineno + 1 - (docstring.count("\n") + 1 if docstring else 0)
            assert length <= LONGEST_FUNCTION, f"{node.name}: {length} lines"


@pytest.mark.parametrize("path", SOURCES, ids=name)
def test_nothing_is_called_handle_or_manager(path: Path) -> None:
    """Verbs say the effect."""
    names = [node.name for node in ast.walk(PARSED[path]) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    names = [each for each in names if each not in FOREIGN]
    assert [each for each in names if re.match(r"_?(handle|process|do)_|.*Manager", each)] == []
