"""Pictures and tables of the measurements in docs/."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.scaling import CHECKS, FILE, MODELS, WORKERS
from benchmarks.scaling_report import PARTS, fitted, pictures, tables

KNOWN = json.loads(FILE.read_text())
TEXT = (FILE.parent / "scaling.md").read_text()


def test_the_pictures_are_made_of_the_figures(tmp_path: Path) -> None:
    """Both of them; with the same matplotlib the SVG is the one in docs/."""
    pictures(KNOWN, tmp_path)
    assert (tmp_path / "scaling.png").read_bytes().startswith(b"\x89PNG")
    made, kept = ((folder / "scaling.svg").read_text() for folder in (tmp_path, FILE.parent))
    assert made.count("<path") > 50
    assert [made.count(word) for word in ("<path", "measured")] == [kept.count(word) for word in ("<path", "measured")]


def test_everything_was_measured_without_an_error() -> None:
    """All that the benchmark is made of."""
    assert [row["workers"] for row in KNOWN["workers"]] == list(WORKERS)
    assert [row["models"] for row in KNOWN["models"]] == list(MODELS)
    assert {row["failed"] for rows in KNOWN.values() for row in rows} == {0}


def test_the_costs_hold_where_they_were_not_fitted() -> None:
    """Within 15 % for every part."""
    model, checks = fitted(KNOWN["costs"])
    assert len(checks) == len(CHECKS)
    assert set(model.costs) == set(PARTS)
    assert model.worst(checks) < 0.15


@pytest.mark.parametrize(("number", "left_out"), [(0, {1}), (1, set()), (4, set()), (5, set())])
def test_what_the_text_says_is_what_the_figures_say(number: int, left_out: set[int]) -> None:
    """Line by line; requests a second of few workers have a digit more in the text."""
    told = {tuple(cell.strip() for cell in line.split("|")[1:-1]) for line in TEXT.replace(",", "").splitlines()}
    told = {tuple(cell for at, cell in enumerate(row) if at not in left_out) for row in told}
    rows = [line.split() for line in tables(KNOWN)[number].replace(",", "").splitlines()[1:]]
    assert rows
    for row in rows:
        assert tuple(cell for at, cell in enumerate(row) if at not in left_out) in told
