"""A folder of pictures is pushed through the queue, each answered once."""

import contextlib
import copy
import errno
import io
import json

import numpy as np
import pytest
from tests.unit.cli.conftest import RECORD

from scurry.cli import folder
from scurry.cli.main import main
from scurry.wire.errors import InvalidRequest, Unavailable

PUSH = ["predict", "digits", "--folder", "in"]


@pytest.fixture
def photos(asker, tmp_path):
    """The client of a model that takes encoded pictures, and a folder with three files, two of them pictures."""
    record = copy.deepcopy(RECORD)
    record["versions"][0] |= {"identity": "first"}
    record["versions"][0]["signature"]["inputs"] = [{"name": "image", "datatype": "BYTES", "shape": [-1]}]
    asker.view, asker.outputs = {"digits": record}, {"label": np.array([b"cat"], dtype=object)}
    (tmp_path / "in" / "deeper").mkdir(parents=True)
    for name in ("a.jpg", "deeper/b.PNG", "notes.txt"):
        (tmp_path / "in" / name).write_bytes(name.encode())
    return asker


def lines(text: str) -> dict:
    """Lines of JSON by their file."""
    return {line["file"]: line for line in map(json.loads, text.splitlines())}


def test_every_picture_is_asked_as_bulk_under_an_id_of_its_own(photos, capsys):
    """Of folders within as well; one line for each, and a table that does not mix with them."""
    assert main([*PUSH, "--tenant", "acme"]) == 0
    told = capsys.readouterr()
    found = lines(told.out)
    assert {one["tenant"] for one in photos.options} == {"acme"}
    assert set(found) == {"a.jpg", "deeper/b.PNG"}
    assert found["a.jpg"]["outputs"] == {"label": ["cat"]}
    assert sorted(inputs["image"].tolist() for _, inputs in photos.asked) == [[b"a.jpg"], [b"deeper/b.PNG"]]
    assert {one["id"] for one in photos.options} == {line["id"] for line in found.values()}
    assert all(one["bulk"] and one["timeout"] == 600 and one["version"] == "1" for one in photos.options)
    assert told.err.splitlines()[0].split() == [
        "PICTURES",
        "ANSWERED",
        "FAILED",
        "KNOWN",
        "MB",
        "SECONDS",
        "PER",
        "SECOND",
    ]
    assert told.err.splitlines()[1].split()[:4] == ["2", "2", "0", "0"]


def test_what_has_an_answer_is_not_asked_again(photos, tmp_path, capsys):
    """By the file of results, also when its last line was cut off; the answers before stay."""
    out = tmp_path / "results.jsonl"
    assert main([*PUSH, "--out", str(out)]) == 0
    first = out.read_text()
    assert "ANSWERED" in capsys.readouterr().out
    assert main([*PUSH, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["files"], told["answered"], told["known"]) == (2, 0, 2)
    assert out.read_text() == first
    out.write_text(first[:-20])
    assert main([*PUSH, "--out", str(out)]) == 0
    assert len(photos.asked) == 3
    *whole, cut, again = out.read_text().splitlines()
    assert len(whole) == 1
    assert json.loads(again)["file"] in cut


def test_an_answer_that_is_kept_is_taken(photos, capsys):
    """Without a file of results: nothing is sent, and its line is written."""
    record = photos.view["digits"]["versions"][0]
    photos.kept = {folder.identity("digits", record, b"a.jpg"): np.array([b"kept"], dtype=object)}
    assert main(PUSH) == 0
    told = capsys.readouterr()
    assert lines(told.out)["a.jpg"]["outputs"] == {"label": ["kept"]}
    assert len(photos.asked) == 1
    assert told.err.splitlines()[1].split()[:4] == ["2", "1", "0", "1"]


def test_a_disk_that_is_full_is_one_sentence(photos, capsys, monkeypatch):
    """Not one for each picture on its way."""

    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device", "results.jsonl")

    monkeypatch.setattr(folder, "opened", lambda _: contextlib.nullcontext(Full()))
    assert main([*PUSH, "--out", "results.jsonl"]) == 1
    assert capsys.readouterr().err == "scurry: unavailable: results.jsonl: No space left on device.\n"


def test_another_registration_is_asked_anew(photos, tmp_path):
    """What a model of the same name answered before says nothing of this one."""
    out = tmp_path / "results.jsonl"
    assert main([*PUSH, "--out", str(out)]) == 0
    photos.view["digits"]["versions"][0]["identity"] = "second"
    assert main([*PUSH, "--out", str(out)]) == 0
    assert len(photos.asked) == 4
    assert len({one["id"] for one in photos.options}) == 4


def test_a_picture_that_fails_leaves_the_others(photos, capsys):
    """Its line says why, and so does the exit status; it is asked again the next time."""
    photos.failures = [InvalidRequest("input_value", "Input 'image' is no picture.")]
    assert main([*PUSH, "--in-flight", "1"]) == 1
    found = lines(capsys.readouterr().out)
    assert found["a.jpg"]["error"] == "input_value"
    assert "outputs" in found["deeper/b.PNG"]


def test_what_finds_no_room_is_sent_again_under_its_id(photos, monkeypatch):
    """A few times, with a pause."""
    monkeypatch.setattr(folder, "PAUSES", (0, 0))
    photos.failures = [Unavailable("overloaded", "Later.")] * 2
    assert main([*PUSH, "--glob", "a.*"]) == 0
    assert [inputs["image"].tolist() for _, inputs in photos.asked] == [[b"a.jpg"]] * 3
    assert len({one["id"] for one in photos.options}) == 1
    photos.failures = [Unavailable("overloaded", "Later.")] * 3
    assert main([*PUSH, "--glob", "a.*"]) == 1


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--folder", "gone"], "There is no directory gone."),
        (["--folder", "in", "--glob", "*.webp"], "There is no file '*.webp' in in."),
        (["--folder", "in", "--glob", "/etc/*"], "is no pattern"),
        (["--image", "in/a.jpg", "--out", "x"], "--glob and --out are for a --folder."),
        (["--folder", "in", "--priority", "1"], "A folder goes as bulk requests, which have no --priority."),
        (["--folder", "in", "--version", "9"], "has no version '9' that is ready"),
    ],
)
def test_what_cannot_be_pushed_is_said(photos, capsys, words, sentence):
    """Before anything is sent."""
    assert main(["predict", "digits", *words]) == 1
    assert sentence in capsys.readouterr().err
    assert photos.asked == []


def test_a_model_that_is_not_there_is_said(photos, capsys):
    """By its name."""
    assert main(["predict", "none", "--folder", "in"]) == 1
    assert "model_not_found: No model 'none' is registered." in capsys.readouterr().err
