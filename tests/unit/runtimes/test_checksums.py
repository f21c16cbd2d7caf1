"""Models are held against the checksums beside them."""

from __future__ import annotations

import hashlib
import json

import pytest

from scurry.runtimes.catalog import Opener
from scurry.runtimes.checksums import check
from scurry.wire.errors import Failed
from scurry.wire.messages_pb2 import ModelSpec


def digest(path) -> str:
    """Its SHA-256."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_holds_is_opened_and_what_does_not_is_not(linear):
    """With a list beside it a model that was changed, or copied in part, is refused by name."""
    path = linear("m/1/model.onnx")
    spec = ModelSpec(uri=str(path.parent))
    sums = path.parent / "SHA256SUMS"
    sums.write_text(f"{digest(path)}  model.onnx\n")
    assert Opener().find("m", "1", spec).file.path == path
    sums.write_text(f"{'0' * 64}  model.onnx\n")
    with pytest.raises(Failed, match=r"model.onnx is not what SHA256SUMS beside it says") as caught:
        Opener().find("m", "1", spec)
    assert caught.value.code == "load_failed"
    sums.write_text(f"{digest(path)}  model.onnx\n{'0' * 64}  model.onnx.data\n")
    with pytest.raises(Failed, match=r"model.onnx.data is missing, which SHA256SUMS beside it lists"):
        Opener().find("m", "1", spec)


def test_a_manifest_and_lists_that_cannot_be_read(tmp_path):
    """Files of no model are only looked for, unless all are asked for."""
    (tmp_path / "a").write_text("a")
    (tmp_path / "b").write_text("b")
    files = {"a": {"sha256": digest(tmp_path / "a")}, "b": {"sha256": "0" * 64}}
    (tmp_path / "manifest.json").write_text(json.dumps({"files": files}))
    check(tmp_path, [tmp_path / "a"])
    with pytest.raises(Failed, match=r"b is not what manifest\.json"):
        check(tmp_path)
    (tmp_path / "SHA256SUMS").write_text("?")
    with pytest.raises(Failed, match="SHA256SUMS is no list of checksums: line 1"):
        check(tmp_path)
    check(tmp_path / "none")
