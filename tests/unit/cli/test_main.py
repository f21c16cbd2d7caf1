"""The command: from the words typed to the exit status."""

import json

import pytest

from scurry.cli.main import VERBS, main
from scurry.wire.errors import Unavailable


@pytest.mark.parametrize("verb", [*VERBS, "models register", "models split", "dead redrive"])
def test_every_verb_has_help(verb, capsys):
    """Asked with --help it prints usage and exits with 0."""
    with pytest.raises(SystemExit) as caught:
        main([*verb.split(), "--help"])
    assert caught.value.code == 0
    assert f"usage: scurry {verb}" in capsys.readouterr().out


@pytest.mark.parametrize("verb", VERBS)
def test_help_shows_an_example(verb, capsys):
    """Of the verb itself."""
    with pytest.raises(SystemExit):
        main([verb, "--help"])
    assert f"scurry {verb}" in capsys.readouterr().out.partition("example")[2]


@pytest.mark.parametrize("words", [[], ["fly"], ["models"], ["models", "alias", "m"], ["predict"]])
def test_what_is_not_understood_exits_with_2(words, capsys):
    """As every command of its kind."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["models", "register", "m", "m.onnx"], ["up", "--no"], ["dead", "list", "x"]])
def test_what_a_verb_does_not_take_is_said_beside_how_it_is_used(words, capsys):
    """The usage of all verbs together would help nobody."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    verb, told = " ".join(word for word in words[:2] if not word.startswith("-")), capsys.readouterr().err
    assert caught.value.code == 2
    assert told.startswith(f"usage: scurry {verb} ")
    assert told.endswith(f"scurry {verb}: error: unrecognized arguments: {words[-1]}\n")


def test_a_model_without_a_place_exits_with_2(asker, capsys):
    """Only what is made of other models has none."""
    assert main(["models", "register", "m"]) == 2
    assert "--uri is missing" in capsys.readouterr().err


def test_the_version_is_said(capsys):
    """Of the package that runs."""
    from importlib.metadata import version

    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"scurry {version('scurry')}\n"


def test_a_file_that_cannot_be_written_is_one_sentence(asker, capsys, monkeypatch):
    """Whatever the system refuses, it is said with the file."""
    asker.failure = PermissionError(13, "Permission denied", "/x")
    assert main(["models", "list"]) == 1
    assert capsys.readouterr().err == "scurry: unavailable: /x: Permission denied.\n"


def test_an_unknown_setting_exits_with_2(monkeypatch, asker, capsys):
    """A misspelt variable would else be ignored."""
    monkeypatch.setenv("SCURRY_REDIS", "r")
    assert main(["models", "list"]) == 2
    assert "SCURRY_REDIS is not a setting" in capsys.readouterr().err


def test_a_failure_is_one_sentence_with_its_code(asker, capsys):
    """On stderr, with exit status 1."""
    asker.failure = Unavailable("unavailable", "Redis at r:1 cannot be reached: Connection refused.")
    assert main(["models", "list"]) == 1
    captured = capsys.readouterr()
    assert captured.err == "scurry: unavailable: Redis at r:1 cannot be reached: Connection refused.\n"
    assert captured.out == ""


def test_a_failure_for_machines_is_json(asker, capsys):
    """On stdout, where they look."""
    asker.failure = Unavailable("unavailable", "No.")
    assert main(["models", "list", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"error": "unavailable", "message": "No."}
