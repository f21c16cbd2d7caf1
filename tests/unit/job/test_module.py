"""Which functions a module.yaml binds."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from scurry.job.module import read_user_functions, serves, user_functions

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = (ROOT / "examples" / "sdk_function" / "module.yaml").read_text()


def test_ours_are_no_user_functions() -> None:
    """The module that we ship binds none."""
    assert read_user_functions(ROOT / "module.yaml") == ()


def test_what_is_bound_beside_ours_is_found() -> None:
    """However it is quoted, whatever stands behind it; as YAML reads it."""
    more = """---\nspec:\n  functions: "a/b"  # why\n---\nspec:\n  functions: 'c/d'\n  # functions: not/this\n"""
    text = EXAMPLE + more
    assert user_functions((ROOT / "module.yaml").read_text() + "---\n" + text) == ("a/b", "c/d", "example/*")
    read = [document["spec"]["functions"] for document in yaml.safe_load_all(text)]
    assert sorted(read) == ["a/b", "c/d", "example/*"]


@pytest.mark.parametrize(
    ("function", "served"),
    [("a/b", True), ("a/c", False), ("example/upper", True), ("example2/upper", False), ("b/a/b", False)],
)
def test_a_namespace_or_one_function(function: str, served: bool) -> None:
    """A star stands for every function of its namespace."""
    assert serves(("a/b", "example/*"), function) is served
