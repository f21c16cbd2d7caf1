"""A model is asked once."""

import json

import numpy as np

from scurry.cli.main import main


def test_a_json_body_goes_and_comes_as_it_is(asker, tmp_path, capsys):
    """From the command line or from a file."""
    (tmp_path / "body.json").write_text("{}")
    assert main(["predict", "digits", "--json", '{"inputs": []}']) == 0
    assert main(["predict", "digits", "--json", "@body.json"]) == 0
    assert asker.asked == [("digits", b'{"inputs": []}'), ("digits", b"{}")]
    assert capsys.readouterr().out == '{"outputs":[]}\n' * 2


def test_who_asks_and_how_urgently_goes_along(asker):
    """With a body, and with a file."""
    np.save("x.npy", np.zeros((1, 4), np.float32))
    for source in (["--json", "{}"], ["--npy", "x.npy"]):
        assert main(["predict", "digits", *source, "--priority", "1", "--tenant", "acme"]) == 0
        assert main(["predict", "digits", *source]) == 0
    assert [(one["priority"], one["tenant"]) for one in asker.options] == [(1, "acme"), (0, "")] * 2


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
