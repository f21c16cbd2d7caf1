"""Repositories of models: what is found and what is registered."""

import json

import pytest

from scurry.cli import repository
from scurry.cli.repository import Found, is_registered, registration, scan, scan_or_say, versions
from scurry.wire.errors import Failed, InvalidRequest


@pytest.fixture
def place(tmp_path):
    """Two models, one with two versions; files and hidden directories beside them."""
    for name in ("b/10", "b/9", "a/1", "a/.git", ".hidden/1"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "README").touch()
    (tmp_path / "b" / "config.json").touch()
    return tmp_path


def test_versions_are_found_in_their_order(place):
    """As numbers, not as text; hidden directories and files are none."""
    assert [(one.model, one.version) for one in scan(place)] == [("a", "1"), ("b", "9"), ("b", "10")]
    assert versions(place, "ghost") == []


def test_a_repository_that_is_not_there_is_an_error(tmp_path):
    """And an empty one is said to be empty."""
    with pytest.raises(InvalidRequest, match="no directory"):
        scan_or_say(str(tmp_path / "none"))


def test_an_empty_repository_is_no_error(tmp_path, capsys):
    """Models may come later."""
    assert scan_or_say(str(tmp_path)) == []
    assert "holds no models" in capsys.readouterr().err


def test_what_is_ready_from_the_same_place_is_not_registered_again():
    """From another place, or failed, it is."""
    found = Found("m", "1", "/repo")
    entry = {"version": "1", "uri": "/repo", "state": "ready"}
    assert is_registered(found, {"m": {"versions": [entry]}})
    assert is_registered(found, {"m": {"versions": [entry | {"state": "registered", "unloaded_by": "policy"}]}})
    assert not is_registered(found, {"m": {"versions": [entry | {"state": "failed"}]}})
    assert not is_registered(found, {"m": {"versions": [entry | {"uri": "/other"}]}})
    assert not is_registered(found, {})


def test_files_that_were_changed_since_are_registered_anew(tmp_path):
    """A worker would refuse them: they are not what was registered."""
    file = tmp_path / "m" / "1" / "model.onnx"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"one")
    found = Found("m", "1", str(tmp_path))
    entry = {"version": "1", "uri": str(tmp_path), "state": "ready", "runtime": "onnx"}
    view = {"m": {"versions": [entry | {"fingerprint": repository.fingerprint(found, "onnx")}]}}
    assert repository.fingerprint(found, "onnx")
    assert is_registered(found, view)
    file.write_bytes(b"two")
    assert not is_registered(found, view)
    file.unlink()
    assert not is_registered(found, view)


async def test_one_that_fails_does_not_stop_the_others(asker, monkeypatch, capsys):
    """It is said and counted."""
    monkeypatch.setattr(repository, "Client", lambda *args, **options: asker)
    update = asker.update

    async def fail_first(change, **options):
        if change.register.version == "1":
            raise Failed("load_failed", "Broken.")
        return await update(change, timeout=1)

    monkeypatch.setattr(asker, "update", fail_first)
    assert await repository.register_all([Found("m", "1", "/r"), Found("m", "2", "/r")], "redis://r", "ns") == 1
    assert [change.register.version for change in asker.updates] == ["2"]
    assert "m version 1: load_failed: Broken." in capsys.readouterr().err


async def test_a_policy_that_holds_is_not_told_again(asker, monkeypatch, place):
    """Each start would add an entry to the audit."""
    monkeypatch.setattr(repository, "Client", lambda *args, **options: asker)
    for name in "ab":
        (place / name / "config.pbtxt").write_text("version_policy: { latest { num_versions: 2 } }")
    asker.view = {"a": {"policy": {"latest": 2}}, "b": {"policy": {"latest": 1}}}
    await repository.register_all(scan(place), "redis://r", "ns")
    assert [update.model for update in asker.updates if update.json] == ["b"]


def test_what_the_job_reads_of_a_config_beside_a_version_is_told_with_it(place):
    """Name by name, the nearest file first; what cannot be read is passed over, and the rest stays with the files."""
    assert registration(Found("a", "1", str(place))).register.config == ""
    (place / "a" / "config.pbtxt").write_text(
        "max_batch_size: 8 instance_group [ { count: 2 } ] dynamic_batching { priority_levels: 3 }"
    )
    said = '{"pinned": true, "pool": "gpu", "dynamic_batching": {"priority_levels": 2}}'
    (place / "a" / "1" / "config.json").write_text(said)
    (place / "a" / "1" / "config.pbtxt").write_text("instance_group [")
    update = registration(Found("a", "1", str(place)))
    assert (update.model, update.register.version, update.register.uri) == ("a", "1", str(place))
    assert json.loads(update.register.config) == {
        "pinned": True,
        "pool": "gpu",
        "dynamic_batching": {"priority_levels": 2},
        "instance_group": [{"count": 2}],
    }


def test_a_directory_that_no_model_can_be_called_is_told(tmp_path, capsys):
    """What begins with a dot is nobody's model anyway."""
    for name in ("good", "bad name", ".git"):
        (tmp_path / name / "1").mkdir(parents=True)
    assert [found.model for found in scan(tmp_path)] == ["good"]
    assert capsys.readouterr().err == "'bad name' is left out: no model can be called so\n"
