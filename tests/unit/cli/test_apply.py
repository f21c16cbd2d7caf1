"""The registry made as a file declares it."""

import json

import pytest

from scurry.cli import apply
from scurry.cli.main import main
from scurry.client import applying
from scurry.wire.errors import Unavailable


@pytest.fixture
def file(tmp_path):
    """One model as it is, one that is new with shares, one that is new without."""

    def write(**models):
        path = tmp_path / "models.json"
        path.write_text(json.dumps({"models": models}))
        return str(path)

    return write


NEW = {"versions": [{"version": "1", "uri": "/1"}, {"version": "2", "uri": "/2"}], "weights": {"1": 1}}
AS_IT_IS = {"versions": [{"version": "1", "uri": "/digits.onnx", "runtime": "onnx"}], "aliases": {"stable": "1"}}


def test_what_is_as_declared_takes_no_message(asker, capsys, file):
    """And that is said."""
    assert main(["models", "apply", file(digits=AS_IT_IS)]) == 0
    assert "Nothing to change: all is as" in capsys.readouterr().out
    assert main(["models", "apply", file(digits=AS_IT_IS), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    assert asker.updates == []


def test_the_difference_is_printed_before_it_is_carried_out(asker, capsys, file):
    """A line for each message, then the same with what came of it."""
    assert main(["models", "apply", file(digits=AS_IT_IS, new=NEW)]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["MODEL", "CHANGE", "WHAT"]
    assert [line[:2] for line in lines[1:4]] == [["new", "register"], ["new", "register"], ["new", "routes"]]
    assert lines[4] == ["MODEL", "CHANGE", "WHAT", "OUTCOME"]
    assert {line[-1] for line in lines[5:]} == {"done"}
    assert [update.WhichOneof("change") for update in asker.updates] == ["register", "register", "routes"]
    assert all(update.register.HasField("route") for update in asker.updates[:2])


def test_a_dry_run_sends_nothing(asker, capsys, file):
    """It only shows."""
    assert main(["models", "apply", file(new=NEW), "--dry-run"]) == 0
    assert "Nothing was changed." in capsys.readouterr().out
    assert main(["models", "apply", file(new=NEW), "--dry-run", "--json"]) == 0
    assert {one["outcome"] for one in json.loads(capsys.readouterr().out)} == {"not done"}
    assert asker.updates == []


def test_at_a_terminal_one_is_asked(asker, capsys, file, monkeypatch):
    """No is no; --yes does not ask."""
    monkeypatch.setattr(apply.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(apply.sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda _: "n")
    assert main(["models", "apply", file(new=NEW)]) == 0
    assert asker.updates == []
    monkeypatch.setattr("builtins.input", lambda _: "y")
    assert main(["models", "apply", file(new=NEW)]) == 0
    assert len(asker.updates) == 3
    monkeypatch.delattr("builtins.input")
    assert main(["models", "apply", file(new=NEW), "--yes"]) == 0


def test_what_fails_ends_its_model_and_no_other(asker, capsys, file):
    """What was done and what not is told, and the exit status says so."""

    async def update(one, **_):
        if one.model == "bad" and one.register.version == "2":
            raise Unavailable("model_not_ready", "No file.")
        asker.updates.append(one)
        return {}

    asker.update = update
    assert main(["models", "apply", file(bad=NEW, good=NEW), "--json"]) == 1
    outcomes = [(one["model"], one["outcome"]) for one in json.loads(capsys.readouterr().out)]
    assert outcomes == [
        ("bad", "done"), ("bad", "model_not_ready: No file."), ("bad", "not done"),
        ("good", "done"), ("good", "done"), ("good", "done"),
    ]  # fmt: skip
    assert main(["models", "apply", file(bad=NEW)]) == 1
    assert "apply the file again" in capsys.readouterr().err


def test_what_drains_is_waited_for(asker, file, monkeypatch):
    """Its name is taken a moment longer."""
    tries = []

    async def update(one, **_):
        tries.append(one)
        if len(tries) == 1:
            raise Unavailable("model_not_ready", "Version '1' of model 'new' is draining; try again soon.")
        return {}

    asker.update = update
    monkeypatch.setattr(applying, "PAUSE_S", 0)
    assert main(["models", "apply", file(new={"versions": [{"version": "1", "uri": "/1"}]})]) == 0
    assert len(tries) == 2


def test_prune_names_what_goes(asker, capsys, file):
    """Whole models among it."""
    assert main(["models", "apply", file(), "--prune", "--dry-run"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split() == ["digits", "unregister", "the", "whole", "model"]


def test_a_file_that_makes_no_sense_is_one_sentence(asker, capsys, file, tmp_path):
    """Nothing is sent."""
    assert main(["models", "apply", str(tmp_path / "none")]) == 1
    assert main(["models", "apply", file(new={"version": 1})]) == 1
    assert "has no field 'version'" in capsys.readouterr().err
    assert asker.updates == []
