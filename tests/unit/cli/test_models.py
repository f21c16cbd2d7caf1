"""Registered models: listed, shown, changed."""

import json

import pytest

from scurry.cli.main import main, parser
from scurry.cli.models import OWN
from scurry.wire.errors import InvalidRequest


def test_list_has_a_line_for_each_version(asker, capsys):
    """With state and share of the requests."""
    assert main(["models", "list"]) == 0
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["MODEL", "VERSION", "STATE", "SHARE", "RUNTIME", "POOL", "URI"]
    assert first.split() == ["digits", "1", "ready", "100", "%", "onnx", "/digits.onnx"]
    assert second.split() == ["digits", "2", "failed", "0", "%"]


def test_list_for_machines_has_the_records(asker, capsys):
    """As the registry wrote them."""
    assert main(["models", "list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == [asker.view["digits"]]


def test_list_of_nothing_says_so(asker, capsys):
    """Not an empty table."""
    asker.view = {}
    assert main(["models", "list"]) == 0
    assert capsys.readouterr().out == "No models are registered.\n"


def test_list_goes_page_by_page(asker, capsys):
    """So many models after a name; a page beyond the last is empty."""
    asker.view = dict.fromkeys("cab", asker.view["digits"])
    for after, names in (("", {"a", "b"}), ("b", {"c"})):
        assert main(["models", "list", "--limit", "2", "--after", after]) == 0
        assert {line.split()[0] for line in capsys.readouterr().out.splitlines()[1:]} == names
    assert main(["models", "list", "--limit", "2", "--after", "c"]) == 0
    assert "No model comes after 'c'" in capsys.readouterr().out


def test_show_tells_signature_alias_and_reason(asker, capsys):
    """All that is known about a model."""
    assert main(["models", "show", "digits"]) == 0
    out = capsys.readouterr().out
    assert "alias stable is version 1" in out
    assert "version 1 input x FP32 [?, 4]" in out
    assert "version 2: No such file." in out
    assert "version 1 warning: The warm-up failed." in out
    assert main(["models", "show", "ghost"]) == 1


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("unregister digits --version 1", 'unregister { version: "1" }'),
        ("unregister digits", "unregister { }"),
        ("unregister digits --force", "unregister { force: true }"),
        ("alias digits stable 1", 'alias { alias: "stable" version: "1" }'),
        ("alias digits stable", 'alias { alias: "stable" }'),
        ("split digits 1=90", 'split { weights { key: "1" value: 90 } }'),
        ("promote digits stable", 'promote { version: "stable" }'),
        ("rollback digits", "rollback { }"),
        ("load digits 1", 'load { version: "1" }'),
        ("unload digits stable --force", 'unload { version: "stable" force: true }'),
        ("pin digits 1", 'pin { version: "1" pinned: true }'),
        ("pin digits 1 --off", 'pin { version: "1" pinned: false }'),
        ("policy digits --latest 2", "policy { latest: 2 }"),
        ("policy digits --all", "policy { all: true }"),
        ("policy digits --specific 1 2", 'policy { specific: "1" specific: "2" }'),
        ("register digits --uri s3://b/m --no-route", 'register { uri: "s3://b/m" route: false }'),
        ("register digits --runtime ensemble --no-route", 'register { runtime: "ensemble" route: false }'),
        ("register digits --uri s3://b/m --runtime onnx --version 4",
         'register { version: "4" uri: "s3://b/m" runtime: "onnx" }'),
    ],
)  # fmt: skip
def test_a_change_is_one_registry_message(words, change, asker):
    """For the model that was named."""
    assert main(["models", *words.split()]) == 0
    text = " ".join(str(asker.updates[0]).split())
    assert text == f'model: "digits" {change}'


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("1:90", "'1:90' is not VERSION=WEIGHT"),
        ("1=99999999999", "with a whole number up to 2147483647"),
        (f"1={'9' * 5000}", "with a whole number up to 2147483647"),
        ("1=90 1=10", "Version '1' is given two weights."),
    ],
)
def test_weights_that_make_no_sense_are_refused(asker, capsys, words, sentence):
    """Nothing is sent."""
    assert main(["models", "split", "digits", *words.split()]) == 1
    assert sentence in capsys.readouterr().err
    assert asker.updates == []


def test_a_refusal_of_the_registry_is_its_own_sentence(asker, capsys):
    """It says who would get the requests; nothing is added to it."""

    async def refuse(update, **_):
        raise InvalidRequest("not_allowed", "Version 1 takes 100 % of the requests; unregister it by force.")

    asker.update = refuse
    assert main(["models", "unregister", "digits", "--version", "1"]) == 1
    assert capsys.readouterr().err == (
        "scurry: not_allowed: Version 1 takes 100 % of the requests; unregister it by force.\n"
    )


@pytest.mark.parametrize("module", [module for module, _ in OWN.values() if hasattr(module, "EXAMPLE")])
def test_examples_are_understood(module):
    """Each line of a verb's help is a command line that it takes."""
    for line in module.EXAMPLE.splitlines()[1:]:
        words = line.partition(" > ")[0].split()[1:]
        assert parser(words).parse_args(words).verb_run is module.run
