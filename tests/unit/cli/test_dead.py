"""Dead letters: listed, shown, sent again."""

from __future__ import annotations

import json

import pytest

from scurry.cli import dead
from scurry.cli.main import main
from scurry.client.dead import DeadLetter

LETTER = DeadLetter("1-1", "it kills its worker", 3, {b"model": b"m", b"id": b"r", b"request": b"\xff" * 300})


@pytest.fixture
def letters(asker, monkeypatch):
    """One dead letter."""

    async def newest(_, count):
        return [LETTER][:count]

    async def find(_, entry):
        assert entry == "1-1"
        return LETTER

    async def redrive(_, letter):
        return "new"

    monkeypatch.setattr(dead, "client", lambda args: asker)
    for verb in (newest, find, redrive):
        monkeypatch.setattr(dead, verb.__name__, verb)


def test_each_has_a_line(letters, capsys):
    """With model, request, attempts and cause."""
    assert main(["dead", "list"]) == 0
    line = capsys.readouterr().out.splitlines()[1]
    assert line.split() == ["1-1", "m", "r", "3", *LETTER.cause.split()]


def test_none_is_said(letters, capsys, monkeypatch):
    """Not an empty table."""

    async def none(*_):
        return []

    monkeypatch.setattr(dead, "newest", none)
    assert main(["dead", "list"]) == 0
    assert capsys.readouterr().out == "There are no dead letters.\n"


def test_one_is_shown_with_all_its_fields(letters, capsys):
    """Long values are cut for people, whole for machines."""
    assert main(["dead", "show", "1-1"]) == 0
    assert "(300 bytes)" in capsys.readouterr().out
    assert main(["dead", "show", "1-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fields"]["request"] == "\\xff" * 300


def test_one_sent_again_has_a_new_id(letters, capsys):
    """Which is told."""
    assert main(["dead", "redrive", "1-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"1-1": "new"}
