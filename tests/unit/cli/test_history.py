"""The history of a model, and its record as it was."""

import json

from scurry.cli.main import main
from scurry.client.registry import Change


def test_history_has_a_line_for_each_change(asker, capsys):
    """Its number, what was asked, and what came of it, whether or not it could be read."""
    asker.changes = [
        Change("7000-0", "digits", 3, {"split": {"weights": {"1": 9}}}, "ok"),
        Change("6000-0", "digits", 2, {"register": {"version": "2", "uri": "/d", "threads": 0}}, "load_failed"),
        Change("5000-0", "digits", 1, '{"oops', "bad_request"),
        Change("4000-0", "digits", 0, {"alias": 3}, "bad_request"),
        Change("3000-0", "digits", 0, {}, "bad_request"),
    ]
    assert main(["models", "history", "digits", "--limit", "5"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["NUMBER", "WHEN", "CHANGE", "OUTCOME"]
    assert [[line[0], *line[3:]] for line in lines[1:]] == [
        ["3", "split", 'weights={"1":9}', "ok"],
        ["2", "register", "version=2", "uri=/d", "load_failed"],
        ["1", '{"oops', "bad_request"],
        ["0", "alias", "bad_request"],
        ["0", "bad_request"],
    ]
    assert asker.asked == [("digits", 5)]
    assert main(["models", "history", "digits", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["sequence"] == 3


def test_what_came_about_is_one_line(asker, capsys):
    """The state of versions, of a rollout, or of both."""
    rollout = {"version": "2", "state": "rolled_back", "step": 1, "message": "It failed."}
    asker.changes = [
        Change("7000-0", "digits", 3, {"became": {}, "rollout": rollout}, "ok"),
        Change("6000-0", "digits", 3, {"became": {"2": "failed"}, "rollout": rollout}, "model_failed"),
        Change("5000-0", "digits", 2, {"became": {"2": "ready"}}, "ok"),
    ]
    assert main(["models", "history", "digits"]) == 0
    lines = [line.split(maxsplit=3)[3] for line in capsys.readouterr().out.splitlines()[1:]]
    stands = "rollout version=2 state=rolled_back step=1 message=It failed."
    assert [" ".join(line.split()) for line in lines] == [
        f"{stands} ok", f"became 2=failed, {stands} model_failed", "became 2=ready ok"
    ]  # fmt: skip


def test_a_rollout_and_a_shadow_as_they_were(asker, capsys):
    """Their counters are not kept."""
    old = {
        "model": "digits", "versions": [{"version": "7", "uri": "/old", "state": "ready"}],
        "shadow": {"7": {"percent": 5.0}},
        "rollout": {"version": "7", "state": "running", "step": 1, "steps": [1, 100], "percent": 1, "message": ""},
    }  # fmt: skip
    asker.changes = [Change("5000-0", "digits", 1, {}, "applied", 1, old)]
    assert main(["models", "history", "digits", "--at", "6"]) == 0
    out = capsys.readouterr().out
    assert "rollout of version 7: running, step 1 of 2 (1 %)." in out
    assert [line.split() for line in out.splitlines() if line.startswith("7 ")] == [["7", "5.0", *"------"]]


def test_no_history_is_said(asker, capsys):
    """Not an empty table."""
    assert main(["models", "history", "ghost"]) == 0
    assert capsys.readouterr().out == "No change of 'ghost' is kept.\n"


def test_the_record_as_it_was(asker, capsys):
    """In place of the changes."""
    old = {"model": "digits", "versions": [{"version": "7", "uri": "/old", "state": "ready"}], "policy": {"latest": 1}}
    asker.changes = [Change("5000-0", "digits", 1, {}, "applied", 1, old)]
    assert main(["models", "history", "digits", "--at", "6"]) == 0
    out = capsys.readouterr().out
    assert "/old" in out
    assert 'policy {"latest": 1}' in out
    assert main(["models", "history", "digits", "--at", "1970-01-01T00:00:06+00:00", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == old
    assert main(["models", "history", "digits", "--at", "4"]) == 1
