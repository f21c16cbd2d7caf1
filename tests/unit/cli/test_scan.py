"""A repository registered, once or as it grows."""

import json

import pytest

from scurry.cli import scan
from scurry.cli.main import main
from scurry.wire.errors import Failed, Unavailable


@pytest.fixture
def repository(tmp_path):
    """Two models."""
    for name in ("a/1", "b/2"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "model.onnx").write_text("x")
    return tmp_path


def test_a_repository_is_registered_once(asker, capsys, repository):
    """Two looks, then the table; a second scan of what is known says so."""
    assert main(["models", "scan", str(repository), "--interval", "0.01", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert [(one["model"], one["change"], one["outcome"]) for one in done] == [
        ("a", "register version 1", "done"), ("b", "register version 2", "done"),
    ]  # fmt: skip
    uri = str(repository)
    asker.view = {
        name: {"versions": [{"version": version, "uri": uri, "state": "ready"}]} for name, version in ("a1", "b2")
    }
    assert main(["models", "scan", str(repository), "--interval", "0.01"]) == 0
    assert "is registered." in capsys.readouterr().out


def test_what_is_refused_is_told_and_the_rest_goes_on(asker, capsys, repository):
    """Exit status 1."""

    async def update(one, **_):
        if one.model == "a":
            raise Failed("load_failed", "No model file.")
        return {}

    asker.update = update
    assert main(["models", "scan", str(repository), "--interval", "0.01"]) == 1
    out = capsys.readouterr().out
    assert "load_failed: No model file." in out
    assert "done" in out


def test_a_version_without_files_is_told_and_the_rest_registered(asker, capsys, repository):
    """It keeps nobody waiting."""
    (repository / "c" / "1").mkdir(parents=True)
    assert main(["models", "scan", str(repository), "--interval", "0.01"]) == 0
    assert [update.model for update in asker.updates] == ["a", "b"]
    assert "c version 1 has no files" in capsys.readouterr().err


def test_a_graph_in_a_version_without_files_is_registered(asker, capsys, tmp_path):
    """As Triton has it: the config above is all there is."""
    (tmp_path / "whole" / "1").mkdir(parents=True)
    (tmp_path / "whole" / "config.pbtxt").write_text('ensemble_scheduling { step [ { model_name: "a" } ] }')
    assert main(["models", "scan", str(tmp_path), "--interval", "0.01"]) == 0
    assert [(update.model, update.register.version) for update in asker.updates] == [("whole", "1")]
    assert "has no files" not in capsys.readouterr().err


def test_a_directory_without_models_is_told(asker, capsys, tmp_path):
    """It is most likely the wrong one."""
    assert main(["models", "scan", str(tmp_path), "--interval", "0.01"]) == 0
    assert f"{tmp_path} holds no models: looked for NAME/VERSION/…" in capsys.readouterr().out
    assert asker.updates == []


def test_a_registry_that_cannot_be_asked_is_an_error(asker, capsys, repository, monkeypatch):
    """Once; who watches looks again, and takes nothing for vanished meanwhile."""

    async def away():
        raise Unavailable("unavailable", "Redis is away.")

    models = asker.models
    asker.models = away
    assert main(["models", "scan", str(repository), "--interval", "0.01"]) == 1
    assert "Redis is away." in capsys.readouterr().err
    sleeps = []

    async def sleep(_):
        sleeps.append(1)
        asker.models = models
        if len(sleeps) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(scan.asyncio, "sleep", sleep)
    assert main(["models", "scan", str(repository), "--watch", "--prune"]) == 130
    assert [update.WhichOneof("change") for update in asker.updates] == ["register", "register"]


def test_watching_goes_on_until_interrupted(asker, repository, monkeypatch):
    """A look at each interval; what comes later is registered."""
    looks = []

    async def sleep(_):
        looks.append(1)
        if len(looks) == 3:
            (repository / "c" / "1").mkdir(parents=True)
            (repository / "c" / "1" / "model.onnx").write_text("x")
        if len(looks) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(scan.asyncio, "sleep", sleep)
    assert main(["models", "scan", str(repository), "--watch"]) == 130
    assert [update.model for update in asker.updates] == ["a", "b", "c"]


def test_a_repository_that_is_not_there_is_an_error(asker, capsys, tmp_path):
    """Before anything is asked of the registry."""
    assert main(["models", "scan", str(tmp_path / "none")]) == 1
    assert "There is no directory" in capsys.readouterr().err
