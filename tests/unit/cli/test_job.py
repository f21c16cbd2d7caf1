"""`scurry job`: which side is meant, what is printed, what is refused."""

from __future__ import annotations

import json
import os

import pytest

from scurry.cli import job
from scurry.cli.main import main
from scurry.serving.flink_rest import JobStatus

RUNNING = JobStatus("a1", "RUNNING", 2, 6, 6, 0, "", 3, 4.2, 1000, "")


class FakeRest:
    """One running job."""

    def __init__(self, url):
        self.url = url

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        pass

    async def status(self):
        return RUNNING

    async def savepoint(self, job_id, folder, patience_s):
        return f"{folder or 'flinks-own'}/1"

    async def stop(self, job_id, folder, patience_s):
        return f"{folder or 'flinks-own'}/2"


@pytest.fixture(autouse=True)
def flink(monkeypatch):
    """No socket."""
    monkeypatch.setattr(job, "FlinkRest", FakeRest)


@pytest.fixture
def up(tmp_path):
    """The directory of a running `scurry up`."""
    (tmp_path / "scurry.json").write_text(json.dumps({"pid": os.getpid(), "ui_url": "http://127.0.0.1:9"}))
    return str(tmp_path)


def test_a_status_is_a_line(capsys):
    """And JSON for machines."""
    assert main(["job", "status", "--flink-url", "http://f"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:4] == ["a1", "RUNNING", "6", "of"]
    main(["job", "status", "--flink-url", "http://f", "--json"])
    assert json.loads(capsys.readouterr().out)["checkpoint_bytes"] == 1000


def test_a_savepoint_of_an_embedded_job_lies_in_its_directory(up, capsys):
    """It has no other; a cluster has its own."""
    main(["job", "savepoint", "--dir", up, "--json"])
    assert json.loads(capsys.readouterr().out) == {"savepoint": f"file://{up}/savepoints/1"}
    main(["job", "savepoint", "--flink-url", "http://f", "--json"])
    assert json.loads(capsys.readouterr().out) == {"savepoint": "flinks-own/1"}


def test_a_stop_says_how_to_go_on(capsys):
    """With the place of the savepoint."""
    assert main(["job", "stop", "--flink-url", "http://f", "--to", "s3://b"]) == 0
    told = capsys.readouterr().out
    assert "s3://b/2" in told
    assert "scurry job upgrade --from" in told


@pytest.mark.parametrize("words", [["stop"], ["upgrade"], ["rescale", "2"]])
def test_what_scurry_up_runs_is_restarted_instead(up, words, capsys):
    """Its job is never older than its flags."""
    assert main(["job", *words, "--dir", up]) == 1
    assert "stop it and start it again with the flags you want" in capsys.readouterr().err


def test_without_a_place_the_sentence_names_the_flags(tmp_path, capsys):
    """Neither Flink nor a side that starts it is guessed."""
    assert main(["job", "status", "--dir", str(tmp_path)]) == 1
    assert "name --flink-url" in capsys.readouterr().err
    assert main(["job", "upgrade", "--flink-url", "http://f"]) == 1
    assert "--start-with" in capsys.readouterr().err


def test_a_rescale_must_be_told_to_the_job_manager(capsys):
    """Else it would start as wide as before."""
    assert main(["job", "rescale", "2", "--flink-url", "http://f", "--start-with", "go {savepoint}"]) == 1
    assert "{parallelism}" in capsys.readouterr().err


def test_an_upgrade_prints_its_savepoint(monkeypatch, capsys):
    """And the job as it is then."""

    class Done:
        savepoint = "file:/s/3"

        def __init__(self, flink, side, wanted, tell):
            assert (wanted.parallelism, wanted.origin) == (0, "file:/s/2")

        async def run(self):
            return RUNNING

    monkeypatch.setattr(job, "Upgrade", Done)
    words = ["job", "upgrade", "--flink-url", "http://f", "--start-with", "go", "--from", "file:/s/2"]
    assert main(words) == 0
    assert capsys.readouterr().out.startswith("The job goes on from file:/s/3.")
