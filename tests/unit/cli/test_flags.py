"""Whatever is typed behind a flag, it is a value or a sentence."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry import settings
from scurry.cli import flags
from scurry.cli.main import VERBS, main, parser
from scurry.rules import InvalidSettings
from scurry.settings import ALL

VALID = {
    "redis_url": "redis://r:1/0",
    "checkpoint_interval": "5s",
    "namespace": "ns",
    "log_level": "info",
    "host": "0.0.0.0",
    "on_gap": "fail",
}


def options(verb: str) -> Iterator[argparse.Action]:
    """Every option of a verb that takes a value, those of its own verbs too."""
    top = parser([verb])
    todo = [next(action for action in top._actions if isinstance(action, argparse._SubParsersAction)).choices[verb]]
    while todo:
        for action in todo.pop()._actions:
            if isinstance(action, argparse._SubParsersAction):
                todo += action.choices.values()
            elif action.nargs != 0:
                yield action


CHECKED = [
    (verb, action) for verb in VERBS for action in options(verb) if action.type is not None and action.option_strings
]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("up --workers -3", "--workers takes a whole number from 0 to 256, not '-3'."),
        ("up --workers two", "--workers takes a whole number from 0 to 256, not 'two'."),
        ("up --gateways 257", "--gateways takes a whole number from 0 to 256, not '257'."),
        ("up --http-port 99999", "--http-port takes a port from 0 to 65535, not '99999'."),
        ("up --ui-port -2", "--ui-port takes a port from 0 to 65535, or -1 for none, not '-2'."),
        ("up --log-level loud", "--log-level takes debug, info, warning or error, not 'loud'."),
        ("up --checkpoint-interval often", "--checkpoint-interval takes a duration such as 5s, not 'often'."),
        ("up --redis-url http://x", "--redis-url takes redis://host:port/db, rediss://…, redis+sentinel://host/master "
         "or unix://…, not 'http://x'."),
        ("worker --memory-mb 0", "--memory-mb takes a whole number from 16 to 16777216, not '0'."),
        ("gateway --timeout-s nan", "--timeout-s takes a number above 0 and up to 86400, not 'nan'."),
        ("functions --host x{70}", "--host takes an address such as 127.0.0.1 or 0.0.0.0"),
        ("models list --redis-url redis://u:secret@h:p/0", "not 'redis://…@h:p/0'."),
        ("models register m --uri u --timeout -1", "--timeout takes a number above 0 and up to 86400, not '-1'."),
        ("predict m --timeout soon", "--timeout takes a number above 0"),
        ("dead list --count -5", "--count takes a whole number from 1"),
        ("bench m --callers x", "--callers takes whole numbers from 1 to 100000 with commas between, not 'x'."),
        ("bench m --callers 1,0", "--callers takes"),
        ("bench m --rate -1", "--rate takes"),
        ("bench m --seconds 0", "--seconds takes"),
        ("bench m --warm-up -1", "--warm-up takes"),
        ("bench m --rows 0", "--rows takes"),
        ("bench m --zipf -2", "--zipf takes"),
        ("bench m --payload-bytes -1", "--payload-bytes takes"),
        ("bench m --input x:FP32", "--input takes NAME:DATATYPE:SHAPE such as x:FP32:1x16, not 'x:FP32'."),
        ("bench m --input x:FP31:4", "--input takes NAME:DATATYPE:SHAPE"),
        ("bench m --url redis://x", "--url takes http://host:port, https://host:port or grpc://host:port, not 'redis://x'."),
    ],
)
def test_a_wrong_value_is_one_sentence(words: str, says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """With the flag, what it takes and what it got; exit status 2, nothing is started."""
    typed = words.replace("x{70}", "x" * 70).split()
    assert main(typed) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("scurry: bad_setting: --")
    assert says in line
    assert "secret" not in line


@pytest.mark.parametrize(
    ("name", "value"),
    [("SCURRY_WORKERS", "http://w:1"), ("SCURRY_REDIS_URL", "http://x"), ("SCURRY_NAMESPACE", "a b"),
     ("SCURRY_HTTP_PORT", "70000")],
)  # fmt: skip
def test_a_wrong_variable_is_the_same_sentence(name, value, monkeypatch, capsys) -> None:
    """With the variable in place of the flag; `SCURRY_WORKERS` is the job's, but `up` reads it too."""
    monkeypatch.setenv(name, value)
    assert main(["up"]) == 2
    assert capsys.readouterr().err.startswith(f"scurry: bad_setting: {name} takes ")


@pytest.mark.parametrize(("verb", "action"), CHECKED, ids=lambda one: getattr(one, "dest", one))
@given(text=st.text(max_size=40) | st.integers().map(str) | st.floats().map(str) | st.just("9" * 5000))
def test_any_text_is_a_value_or_a_sentence(verb: str, action: argparse.Action, text: str) -> None:
    """No flag raises anything else, and the sentence is one line that names the flag."""
    assert callable(action.type)
    try:
        action.type(text)
    except InvalidSettings as exc:
        sentence = str(exc)
        assert sentence.startswith(f"{action.option_strings[-1]} takes ")
        assert sentence.endswith(".")
        assert len(sentence.splitlines()) == 1
        assert len(sentence) < 300


def test_no_flag_goes_unchecked() -> None:
    """A number or an address behind a flag is always read by a rule of ours, never by int() or float()."""
    assert [(verb, action.dest) for verb, action in CHECKED if action.type in (int, float, bool)] == []
    numbers = {field.name for cls in ALL for field in dataclasses.fields(cls) if field.type in ("int", "float")}
    assert numbers <= {action.dest for _, action in CHECKED}


@pytest.mark.parametrize("cls", ALL)
def test_every_default_holds_its_own_rule(cls) -> None:
    """What is not given would have been accepted."""
    for field in dataclasses.fields(cls):
        if field.default != "" and field.type != "bool":
            assert (
                settings.read(f"--{field.name}", field.name, str(field.default), type(field.default)) == field.default
            )


@given(
    url=st.from_regex(r"(redis|rediss|unix|http|rediss?\+sentinel)://[a-z@:\[\]./?=0-9%,-]{0,30}", fullmatch=True)
    | st.text(max_size=30).map("redis://".__add__)
)
def test_an_address_that_is_accepted_can_be_parsed(url: str) -> None:
    """The rule of the flag and the connection agree."""
    from scurry.redis.address import Address

    try:
        settings.read("--redis-url", "redis_url", url, str)
    except InvalidSettings:
        return
    Address.parse(url)


def test_every_field_has_a_help_text() -> None:
    """And no text is left of a field that is gone."""
    fields = {field.name for cls in ALL for field in dataclasses.fields(cls)}
    assert set(flags.HELP) == fields


def test_words_that_are_no_text_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Bytes that are not UTF-8 name no model."""
    assert main(["models", "show", "a\udcff"]) == 2
    assert "is not UTF-8" in capsys.readouterr().err
