"""The verbs, from the words typed to what is printed and the exit status."""

import json

import numpy as np
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


@pytest.mark.parametrize("words", [[], ["fly"], ["models"], ["models", "register", "m"], ["predict"]])
def test_what_is_not_understood_exits_with_2(words, capsys):
    """As every command of its kind."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 2
    assert "usage:" in capsys.readouterr().err


def test_the_version_is_said(capsys):
    """Of the package that runs."""
    from importlib.metadata import version

    with pytest.raises(SystemExit) as caught:
        main(["--version"])
    assert caught.value.code == 0
    assert capsys.readouterr().out == f"scurry {version('scurry')}\n"


def test_a_file_that_cannot_be_written_is_one_sentence(asker, capsys, monkeypatch):
    """Whatever the system refuses, it is said with the file."""
    asker.failure = PermissionError(13, "Permission denied", "/root/x")
    assert main(["models", "list"]) == 1
    assert capsys.readouterr().err == "scurry: unavailable: /root/x: Permission denied.\n"


def test_a_port_that_is_not_served_is_said(capsys, monkeypatch):
    """The flags are taken, for what comes."""
    from scurry.serving import gateway

    monkeypatch.setattr(gateway, "run", lambda settings: None)
    assert main(["gateway", "--grpc-port", "8001"]) == 0
    assert capsys.readouterr().err == (
        "scurry: --grpc-port is accepted, but gRPC is not served yet: nothing listens there.\n"
    )


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


def test_list_has_a_line_for_each_version(asker, capsys):
    """With state and share of the requests."""
    assert main(["models", "list"]) == 0
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["MODEL", "VERSION", "STATE", "SHARE", "RUNTIME", "URI"]
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


def test_show_tells_signature_alias_and_reason(asker, capsys):
    """All that is known about a model."""
    assert main(["models", "show", "digits"]) == 0
    out = capsys.readouterr().out
    assert "alias stable is version 1" in out
    assert "version 1 input x FP32 [?, 4]" in out
    assert "version 2: No such file." in out
    assert main(["models", "show", "ghost"]) == 1


@pytest.mark.parametrize(
    ("words", "change"),
    [
        ("unregister digits --version 1", 'unregister { version: "1" }'),
        ("unregister digits", "unregister { }"),
        ("alias digits stable 1", 'alias { alias: "stable" version: "1" }'),
        ("alias digits stable", 'alias { alias: "stable" }'),
        ("split digits 1=90", 'split { weights { key: "1" value: 90 } }'),
        ("promote digits stable", 'promote { version: "stable" }'),
        ("rollback digits", "rollback { }"),
        ("register digits --uri s3://b/m --runtime onnx --version 4",
         'register { version: "4" uri: "s3://b/m" runtime: "onnx" }'),
    ],
)  # fmt: skip
def test_a_change_is_one_registry_message(words, change, asker):
    """For the model that was named."""
    assert main(["models", *words.split()]) == 0
    text = " ".join(str(asker.updates[0]).split())
    assert text == f'model: "digits" {change}'


def test_weights_that_make_no_sense_are_refused(asker, capsys):
    """Nothing is sent."""
    assert main(["models", "split", "digits", "1:90"]) == 1
    assert "'1:90' is not VERSION=WEIGHT" in capsys.readouterr().err
    assert asker.updates == []


def test_a_local_path_is_registered_as_absolute(asker, tmp_path):
    """Workers run in another directory."""
    (tmp_path / "m.onnx").touch()
    assert main(["models", "register", "m", "--uri", "m.onnx"]) == 0
    assert asker.updates[0].register.uri == str(tmp_path / "m.onnx")


def test_a_repository_gives_its_newest_version(asker, tmp_path):
    """10 is newer than 9."""
    for version in ("9", "10"):
        (tmp_path / "repo" / "m" / version).mkdir(parents=True)
    assert main(["models", "register", "m", "--uri", "repo"]) == 0
    assert asker.updates[0].register.version == "10"


def test_a_config_file_is_read_where_it_lies(asker, tmp_path, capsys):
    """It must be a JSON object."""
    (tmp_path / "c.json").write_text('{"max_batch_size": 8}')
    (tmp_path / "bad.json").write_text("[")
    assert main(["models", "register", "m", "--uri", "/m", "--config", "c.json"]) == 0
    assert json.loads(asker.updates[0].register.config) == {"max_batch_size": 8}
    assert main(["models", "register", "m", "--uri", "/m", "--config", "bad.json"]) == 1
    assert main(["models", "register", "m", "--uri", "/m", "--config", "none.json"]) == 1
    assert "bad.json is not JSON" in capsys.readouterr().err


def test_no_wait_returns_once_the_message_is_sent(asker, capsys):
    """With its entry, not with a state."""
    assert main(["models", "register", "m", "--uri", "/m", "--no-wait", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"model": "m", "entry": "1-1"}


def test_a_json_body_goes_and_comes_as_it_is(asker, tmp_path, capsys):
    """From the command line or from a file."""
    (tmp_path / "body.json").write_text("{}")
    assert main(["predict", "digits", "--json", '{"inputs": []}']) == 0
    assert main(["predict", "digits", "--json", "@body.json"]) == 0
    assert asker.asked == [("digits", b'{"inputs": []}'), ("digits", b"{}")]
    assert capsys.readouterr().out == '{"outputs":[]}\n' * 2


def test_an_error_reply_is_a_failure(asker, capsys):
    """With the code that came over the wire."""
    asker.fields = {b"status": b"error", b"error": b"input_shape", b"message": b"Too long."}
    assert main(["predict", "digits", "--json", "{}"]) == 1
    assert capsys.readouterr().err == "scurry: input_shape: Too long.\n"


def test_an_array_on_disk_is_sent_in_the_models_type(asker, tmp_path, capsys):
    """With the missing batch dimension."""
    np.save(tmp_path / "x.npy", np.ones(4))
    asker.outputs = {"y": np.float32([[1, 2]])}
    assert main(["predict", "digits", "--npy", "x.npy"]) == 0
    assert capsys.readouterr().out == "y float32 [1, 2]\n[[1. 2.]]\n"
    sent = asker.asked[0][1]["x"]
    assert (sent.dtype, sent.shape) == (np.float32, (1, 4))
    assert main(["predict", "digits", "--npy", "x.npy", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"y": [[1.0, 2.0]]}


def test_nothing_to_send_is_said(asker, capsys):
    """And a body and a file at once as well."""
    assert main(["predict", "digits"]) == 1
    assert "Nothing to send" in capsys.readouterr().err
    assert main(["predict", "digits", "--json", "{}", "--npy", "x.npy"]) == 1
    assert "not both" in capsys.readouterr().err
