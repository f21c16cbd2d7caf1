"""The registry declared by a file, rolled back, kept to a policy, and fed from a repository, for real."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Stack
from tests.e2e.test_up import answer, save_model


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four models that multiply by 1, 2, 3 and 4."""
    folder = tmp_path_factory.mktemp("models")
    for factor in (1, 2, 3, 4):
        save_model(folder / f"{factor}.onnx", factor)
    return folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack for most of these tests."""
    running = Stack(tmp_path_factory.mktemp("first"))
    yield running
    running.stop()


def record(stack: Stack, name: str) -> dict[str, Any]:
    """A model's record."""
    shown: dict[str, Any] = json.loads(stack.run("models", "show", name, "--json").stdout)
    return shown


def routing(stack: Stack, name: str) -> dict[str, Any]:
    """How its requests go."""
    shown = record(stack, name)
    return {part: shown[part] for part in ("routes", "aliases", "weights", "policy")}


def test_what_was_exported_is_applied_to_a_fresh_job(
    first: Stack, models: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same versions, shares, aliases, policy and pins; applied again it changes nothing and says so."""
    for version in ("1", "2", "3"):
        first.register("out", models / f"{version}.onnx", version)
    first.run("models", "split", "out", "1=1", "3=3")
    first.run("models", "alias", "out", "stable", "2")
    first.run("models", "pin", "out", "1")
    first.register("plain", models / "1.onnx", "a")
    first.register("plain", models / "2.onnx", "b")
    text = first.run("models", "export", "out", "plain").stdout
    folder = tmp_path_factory.mktemp("second")
    (folder / "models.json").write_text(text)
    second = Stack(folder / "stack")
    try:
        shown = second.run("models", "apply", str(folder / "models.json"), "--dry-run").stdout
        assert "register" in shown
        assert json.loads(second.run("models", "list", "--json").stdout) == []
        second.run("models", "apply", str(folder / "models.json"))
        for name in ("out", "plain"):
            assert routing(second, name) == routing(first, name)
        assert [one["pinned"] for one in record(second, "out")["versions"]] == [True, False, False]
        assert answer(second, "out", 1, "--version", "stable") == 2
        assert answer(second, "plain", 1) == 2
        assert "Nothing to change" in second.run("models", "apply", str(folder / "models.json")).stdout
        assert second.run("models", "export").stdout == text
    finally:
        second.stop()
