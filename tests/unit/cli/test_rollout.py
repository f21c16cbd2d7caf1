"""Give a version its share step by step."""

from __future__ import annotations

import pytest

from scurry.cli.main import main
from scurry.cli.rollout import rollout_line

STANDS = {"version": "2", "state": "rolled_back", "step": 1, "steps": [10, 100], "percent": 10, "message": "Why."}


def test_a_rollout_is_sent_as_it_was_asked_for(asker):
    """Guards that are not named are not kept."""
    words = ["models", "rollout", "digits", "2", "--steps", "1,12.5,100", "--hold", "10m", "--max-error-rate", "0"]
    assert main(words) == 0
    plan = asker.updates[0].rollout
    assert (plan.version, list(plan.steps), plan.hold_ms, plan.max_error_rate) == ("2", [1, 12.5, 100], 600_000, 0)
    assert (plan.HasField("max_error_rate"), plan.HasField("max_latency_ratio"), plan.min_requests) == (True, False, 0)


def test_it_is_aborted_by_a_word_and_needs_one_of_both(asker, capsys):
    """Neither nothing nor both."""
    assert main(["models", "rollout", "digits", "--abort"]) == 0
    assert asker.updates[0].rollout.abort
    assert main(["models", "rollout", "digits"]) == 1
    assert main(["models", "rollout", "digits", "2", "--abort"]) == 1
    assert "Name the version" in capsys.readouterr().err


def test_status_changes_nothing(asker, capsys):
    """It reads the record, and says where there is none."""
    assert main(["models", "rollout", "digits", "--status"]) == 0
    assert "No version of digits was rolled out." in capsys.readouterr().out
    asker.view = {"digits": {"versions": [], "rollout": STANDS}}
    assert main(["models", "rollout", "digits", "--status"]) == 0
    assert capsys.readouterr().out == rollout_line(STANDS) + "\n"
    assert main(["models", "rollout", "none", "--status"]) == 1
    assert asker.updates == []


def test_the_line_says_state_step_and_why():
    """As `models show` has it."""
    assert rollout_line(STANDS) == "rollout of version 2: rolled back, step 1 of 2 (10 %). Why."


@pytest.mark.parametrize("words", [["--hold", "soon"], ["--hold", "0s"], ["--hold", "5"], ["--steps", "1;2"]])
def test_what_cannot_be_read_is_a_sentence(asker, capsys, words):
    """Exit status 2, as for every flag."""
    assert main(["models", "rollout", "digits", "2", *words]) == 2
    assert words[0] in capsys.readouterr().err
    assert asker.updates == []
