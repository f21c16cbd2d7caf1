"""API keys: made and checked."""

from __future__ import annotations

import json

import pytest

from scurry.cli.main import main
from scurry.gateway.access import Access


def test_a_new_key_opens_what_its_line_says(tmp_path, capsys):
    """The key is printed once and is not in the line."""
    words = ["--scope", "infer", "--models", "digits*", "--tenant", "blue", "--max-in-flight", "8", "--json"]
    assert main(["keys", "new", "ci", *words]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["key"] not in made["line"]
    (tmp_path / "keys").write_text(made["line"])
    caller = Access(str(tmp_path / "keys")).check({"x-api-key": made["key"]}, "infer", "digits-1")
    assert (caller.name, caller.tenant, caller.max_in_flight) == ("ci", "blue", 8)
    assert main(["keys", "new", "ci"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("key   sk-")
    assert "infer,read" in shown


@pytest.mark.parametrize("words", [["a b"], ["ci", "--scope", "all"], ["ci", "--expires", "soon"]])
def test_a_key_that_could_not_be_is_one_sentence(words, capsys):
    """And exit status 1."""
    assert main(["keys", "new", *words]) == 1
    assert capsys.readouterr().err.startswith("scurry: bad_request: ")


def test_a_file_is_shown_without_its_keys(tmp_path, capsys):
    """Or what is wrong in it, with the line."""
    path = tmp_path / "keys"
    first = "ci key-of-the-build-machine infer,read models=digits* expires=2020-01-01"
    path.write_text(f"{first}\nops another-long-key admin")
    assert main(["keys", "check", str(path)]) == 0
    head, first, second = capsys.readouterr().out.splitlines()
    assert head.split() == ["NAME", "SCOPES", "MODELS", "TENANT", "EXPIRES"]
    assert first.split() == ["ci", "infer,read", "digits*", "2020-01-01T00:00:00Z", "(over)"]
    assert second.split() == ["ops", "admin", "all", "never"]
    path.write_text("\nci short infer")
    assert main(["keys", "check", str(path)]) == 1
    assert "Line 2" in capsys.readouterr().err
    path.write_bytes(b"\xff")
    assert main(["keys", "check", str(path)]) == 1
    path.write_text("")
    assert main(["keys", "check", str(path)]) == 0
    assert "no keys" in capsys.readouterr().out
