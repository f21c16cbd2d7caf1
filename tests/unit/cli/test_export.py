"""The registry as a file."""

import json

import pytest
import yaml

from scurry.cli.export import epoch_of
from scurry.cli.main import main
from scurry.client.registry import Change
from scurry.wire.errors import InvalidRequest


def test_all_models_or_those_named(asker, capsys):
    """As JSON that `apply` reads, or YAML; one that is not there is an error."""
    assert main(["models", "export"]) == 0
    said = json.loads(capsys.readouterr().out)
    version = {"version": "1", "uri": "/digits.onnx", "runtime": "onnx"}
    assert said == {"scurry": 1, "models": {"digits": {"versions": [version], "aliases": {"stable": "1"}}}}
    assert main(["models", "export", "digits", "--yaml"]) == 0
    assert yaml.safe_load(capsys.readouterr().out) == said
    assert main(["models", "export", "ghost"]) == 1


def test_as_it_was_then(asker, capsys):
    """From the registry's stream; of what is not kept, a note."""
    old = {"model": "digits", "versions": [{"version": "7", "uri": "/old", "state": "ready"}]}
    asker.changes = [
        Change("5000-0", "digits", 1, {}, "applied", 1, old),
        Change("9000-0", "digits", 2, {}, "applied", 2, asker.view["digits"]),
        Change("9000-1", "late", 2, {}, "applied", 2, old),
    ]
    assert main(["models", "export", "--at", "6"]) == 0
    shown = capsys.readouterr()
    assert list(json.loads(shown.out)["models"]) == ["digits"]
    assert json.loads(shown.out)["models"]["digits"]["versions"] == [{"version": "7", "uri": "/old"}]
    assert "of late nothing is kept from then" in shown.err
    assert main(["models", "export", "--at", "1", "digits"]) == 1
    assert "registered then" in capsys.readouterr().err


def test_times():
    """Epoch seconds, or as ISO 8601 has it."""
    assert epoch_of("12.5") == 12.5
    assert epoch_of("1970-01-01T00:00:10+00:00") == 10
    assert epoch_of("2026-01-02") < epoch_of("2026-01-02T00:00:01")
    for text in ("", "yesterday", "1.2.3", "2026-13-01"):
        with pytest.raises(InvalidRequest, match="is no time"):
            epoch_of(text)
