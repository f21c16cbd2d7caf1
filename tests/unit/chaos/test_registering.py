"""The models that are put up."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np
import pytest
from tests.chaos import registering
from tests.chaos.claims import Content
from tests.chaos.registering import Registering
from tests.chaos.timeline import Timeline


def test_what_is_asked_is_registered_and_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A graph brings its steps; a shadow is never what a name stands for."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(Registering, "_scurry", lambda _, *words: told.append(words))
    timeline = Timeline()
    Registering(None, timeline, tmp_path, 1).all({"chain", "shadowed", "kept"})  # type: ignore[arg-type]
    names = {words[2] for words in told}
    assert names == {"chain", "plain-0", "plain-1", "shadowed", "kept", "hungry", "endless"}
    assert ("models", "shadow", "shadowed", "2", "--percent", "30") in told
    now = time.monotonic()
    assert timeline.may_mean(("shadowed", ""), now, now) == {"1"}
    assert timeline.may_mean(("chain", ""), now, now) == {"1"}
    assert all(Path(words[words.index("--uri") + 1]).is_file() for words in told if "--uri" in words)


def test_models_of_sequences_are_registered_with_their_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sequences begin with either version of the one; the other keeps nothing for long."""
    told: list[tuple[str, ...]] = []
    monkeypatch.setattr(Registering, "_scurry", lambda _, *words: told.append(words))
    timeline = Timeline()
    Registering(None, timeline, tmp_path, 1).all({"tally", "brief"})  # type: ignore[arg-type]
    assert ("models", "split", "tally", "1=50", "2=50") in told
    now = time.monotonic()
    assert timeline.may_mean(("tally", ""), now, now) == {"1", "2"}
    for model, micros in (("tally", 600_000_000), ("brief", 6_000_000)):
        kept = json.loads((tmp_path / f"{model}.json").read_text())["sequence_batching"]
        assert kept["max_sequence_idle_microseconds"] == micros
        assert kept["state"][0]["output_name"] == "after"


def test_a_chain_answers_as_its_steps_one_after_the_other() -> None:
    """The sum is that of what was sent."""
    one, other, x = Content("line", 3, 5), Content("line", 7, 11), np.array([[1, 2, 3, 4]], np.float32)
    between, total = one.answer(x)
    y, s = one.then(other).answer(x)
    assert np.array_equal(y, other.answer(between)[0])
    assert np.array_equal(s, total)
    assert [step["model_name"] for step in registering.CHAIN["ensemble_scheduling"]["step"]] == ["plain-0", "plain-1"]  # type: ignore[call-overload, index]
