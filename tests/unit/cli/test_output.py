"""Tables, progress and flags."""

import argparse
import asyncio
import dataclasses

import pytest

from scurry.cli import output
from scurry.cli.flags import HELP, add_settings
from scurry.settings import ALL, UpSettings, load


def test_columns_are_aligned_and_numbers_stand_right():
    """No line ends in blanks."""
    assert output.table(("NAME", "N"), [("a", 5), ("long", 10)]) == "NAME   N\na      5\nlong  10"


def test_what_others_wrote_moves_no_cursor_and_breaks_no_table(capsys):
    """Names in dead letters and refusals may be any text."""
    assert output.table(("MODEL", "N"), [("a\nb\x1b[2J", 5)]).splitlines()[1] == "a\\nb\\x1b[2J  5"
    assert output.complain(argparse.Namespace(json=False), "bad_request", "No 'a\x07ä'.") == 1
    assert capsys.readouterr().err == "scurry: bad_request: No 'a\\x07ä'.\n"


async def test_progress_says_what_is_waited_for_after_a_second(monkeypatch, capsys):
    """On stderr, once for each state where there is no terminal."""
    monkeypatch.setattr(output, "SLOW_S", 0)
    async with output.progress(argparse.Namespace(json=False), lambda: "waiting for m"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert capsys.readouterr().err == "waiting for m …\n"


async def test_machines_see_no_progress(monkeypatch, capsys):
    """Nothing beside the JSON."""
    monkeypatch.setattr(output, "SLOW_S", 0)
    async with output.progress(argparse.Namespace(json=True), lambda: "waiting"):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("cls", ALL)
def test_every_setting_is_a_flag_with_help(cls):
    """And what is not given leaves the word to the environment."""
    parser = argparse.ArgumentParser()
    add_settings(parser, cls)
    assert {field.name for field in dataclasses.fields(cls)} <= set(HELP)
    args = parser.parse_args([])
    assert load(cls, args, {}) == cls()


def test_a_flag_has_the_type_of_its_setting():
    """A port is a number."""
    parser = argparse.ArgumentParser()
    add_settings(parser, UpSettings)
    settings = load(UpSettings, parser.parse_args(["--http-port", "80", "--workers", "3"]), {"SCURRY_WORKERS": "9"})
    assert (settings.http_port, settings.workers) == (80, 3)
