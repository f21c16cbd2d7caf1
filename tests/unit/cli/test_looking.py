"""A repository looked at again and again."""

import json
import shutil

import pytest

from scurry.cli import looking
from scurry.cli.looking import Look, Watcher, listing
from scurry.cli.repository import policy_beside


@pytest.fixture
def root(tmp_path):
    """A repository with one model."""
    add(tmp_path, "m", "1")
    return tmp_path


def add(root, model, version, content="x"):
    """A version of it, whole."""
    folder = root / model / version
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_text(content)


def told(watcher, view=None):
    """What another look leads to."""
    return [
        (update.model, update.WhichOneof("change") or "policy", update.register.version or update.unregister.version)
        for update in watcher.updates(Look.at(watcher.root), view or {})
    ]


def test_what_was_the_same_twice_is_registered_once(root):
    """With its versions in order, the newest last."""
    add(root, "m", "10")
    watcher = Watcher(root)
    assert told(watcher) == []
    assert told(watcher) == [("m", "register", "1"), ("m", "register", "10")]
    assert told(watcher) == []


def test_what_is_still_being_copied_waits(root):
    """Until two looks find the same; files that grow, come or are empty folders are no version yet."""
    watcher = Watcher(root)
    told(watcher)
    told(watcher)
    file = root / "m" / "2" / "model.onnx"
    file.parent.mkdir()
    assert told(watcher) == [], "an empty folder"
    assert told(watcher) == []
    assert (watcher.unsettled, watcher.empty) == (False, [("m", "2")])
    for size in range(1, 4):
        file.write_bytes(b"x" * size)
        assert told(watcher) == []
        assert watcher.unsettled
    (file.parent / "model.data").write_text("more")
    assert told(watcher) == []
    assert told(watcher) == [("m", "register", "2")]
    assert not watcher.unsettled


def test_it_is_tried_again_when_its_files_change(root):
    """Not before: a model that cannot be loaded is not tried at every look."""
    watcher = Watcher(root)
    told(watcher)
    assert told(watcher) == [("m", "register", "1")]
    assert told(watcher) == told(watcher) == []
    add(root, "m", "1", "longer")
    assert told(watcher) == []
    assert told(watcher) == [("m", "register", "1")]


def test_it_is_tried_again_when_the_config_above_changes(root):
    """Where Triton has it."""
    watcher = Watcher(root)
    told(watcher)
    assert told(watcher) == [("m", "register", "1")]
    (root / "m" / "config.pbtxt").write_text("instance_group [ { count: 3 } ]")
    assert told(watcher) == []
    assert told(watcher) == [("m", "register", "1")]


def test_what_is_registered_already_is_left_alone(root, monkeypatch):
    """Its fingerprint is looked at once, not at every look."""
    asked = []
    monkeypatch.setattr(looking, "is_registered", lambda found, view: not asked.append(found))
    watcher = Watcher(root)
    for _ in range(4):
        assert told(watcher) == []
    assert len(asked) == 1


def test_what_vanished_goes_only_with_prune(root):
    """After two looks without it, and only what came from here."""
    one = {"version": "1", "uri": str(root), "state": "ready"}
    view = {"m": {"versions": [one]}, "n": {"versions": [one | {"uri": "/other"}]}}
    for prune, expected in ((False, []), (True, [("m", "unregister", "1")])):
        add(root, "m", "1")
        watcher = Watcher(root, prune=prune)
        told(watcher, view)
        told(watcher, view)
        shutil.rmtree(root / "m" / "1")
        assert told(watcher, view) == []
        assert told(watcher, view) == expected


def test_a_policy_beside_a_model_is_told_with_it(root):
    """From config.json or config.pbtxt, after its versions, and again when it changes; one that is none is left out."""
    config = root / "m" / "config.pbtxt"
    config.write_text("version_policy: { latest: { num_versions: 2 } }")
    watcher = Watcher(root)
    assert told(watcher) == []
    assert told(watcher) == [("m", "register", "1"), ("m", "policy", "")]
    assert told(watcher) == []
    config.write_text("version_policy: { all: { } }")
    (update,) = watcher.updates(Look.at(root), {})
    assert json.loads(update.json) == {"policy": {"all": True}}
    assert told(Watcher(root), {"m": {"policy": {"all": True}}}) == []
    again = Watcher(root)
    assert [told(again, {"m": {"policy": {"all": True}}}) for _ in range(2)] == [[], [("m", "register", "1")]]
    for text in ("version_policy: { newest: { } }", "not a config {", "version_policy: 3"):
        config.write_text(text)
        assert policy_beside(root / "m") == {}
    (root / "m" / "config.json").write_text('{"version_policy": {"specific": {"versions": [1]}}}')
    assert policy_beside(root / "m") == {"specific": ["1"]}


def test_what_goes_under_a_look_is_not_there(root):
    """No look fails."""
    (root / "m" / "1" / "gone").symlink_to(root / "nowhere")
    assert listing(root / "m" / "1") == ()
    assert Look.at(root).files == {("m", "1"): ()}
    with pytest.raises(OSError, match="none"):  # which is not to be taken for an empty repository
        Look.at(root / "none")
    assert repr(Watcher(root)) == f"<Watcher of {root}: 0 versions tried>"
