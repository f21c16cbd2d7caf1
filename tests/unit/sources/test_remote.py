"""What of a store is a version's, seen through fsspec's own store in memory."""

from __future__ import annotations

from collections.abc import Iterator

import fsspec
import pytest

from scurry.sources.allowed import Allowed, address
from scurry.sources.progress import Progress
from scurry.sources.remote import Store, belongs, filesystem
from scurry.wire.errors import Failed

HOST = "memory://sources"
REPOSITORY = {
    "repo/net/config.pbtxt": b"pb",
    "repo/net/1/model.onnx": b"one",
    "repo/net/1/warmup/x": b"x",
    "repo/net/2/model.onnx": b"two!",
    "repo/other/1/model.onnx": b"other",
    "plain/model.xml": b"xml",
    "plain/model.bin": b"bin",
    "flat/a.onnx": b"a",
    "flat/a.onnx.data": b"data",
    "flat/ab.onnx": b"ab",
    "flat/config.json": b"{}",
}


@pytest.fixture
def store() -> Iterator[Store]:
    """A store with a repository, a directory of one model and one of several files."""
    memory = fsspec.filesystem("memory")
    memory.pipe({f"/sources/{name}": content for name, content in REPOSITORY.items()})
    yield Store("memory", Allowed(HOST))
    memory.rm("/sources", recursive=True)


@pytest.mark.parametrize(
    ("uri", "start", "names"),
    [
        ("repo", "1", ["1/model.onnx", "1/warmup/x", "config.pbtxt"]),
        ("repo/net", "1", ["1/model.onnx", "1/warmup/x", "config.pbtxt"]),
        ("repo/net/1", "1", ["1/model.onnx", "1/warmup/x", "config.pbtxt"]),
        ("repo/net/1/model.onnx", "1/model.onnx", ["1/model.onnx", "config.pbtxt"]),
        ("plain", "plain", ["plain/model.bin", "plain/model.xml"]),
        ("plain/model.xml", "plain/model.xml", ["plain/model.bin", "plain/model.xml"]),
        ("flat/a.onnx", "flat/a.onnx", ["flat/a.onnx", "flat/a.onnx.data", "flat/config.json"]),
    ],
)
def test_what_belongs_to_a_version(store, uri, start, names):
    """Name and version pick a directory of a repository; a file brings what is called after it."""
    listed = store.list(address(f"{HOST}/{uri}"), "net", "1")
    assert (listed.start, [item.name for item in listed.items]) == (start, names)
    assert all(item.mark for item in listed.items)


@pytest.mark.parametrize("uri", ["none", "repo/net/3", "flat/b.onnx"])
def test_what_is_not_there_is_said(store, uri):
    """With the whole uri."""
    with pytest.raises(Failed, match=f"There is no file or directory {HOST}/{uri}") as caught:
        store.list(address(f"{HOST}/{uri}"), "net", "1")
    assert caught.value.code == "load_failed"


def test_a_whole_repository_is_no_model(store):
    """A version that is not in it does not bring all the others here."""
    with pytest.raises(Failed, match="repo holds no model: looked in it, in net/7 and in 7"):
        store.list(address(f"{HOST}/repo"), "net", "7")


def test_only_what_is_allowed_comes_along(store):
    """A source that is one version's directory, or one file, does not show what lies beside it."""
    narrow = Store("memory", Allowed(f"{HOST}/repo/net/1,{HOST}/flat/a.onnx"))
    assert [each.name for each in narrow.list(address(f"{HOST}/repo/net/1"), "net", "1").items] == [
        "1/model.onnx",
        "1/warmup/x",
    ]
    assert [each.name for each in narrow.list(address(f"{HOST}/flat/a.onnx"), "a", "1").items] == ["flat/a.onnx"]


def test_files_are_copied_and_counted(store, tmp_path):
    """Byte by byte, as listed."""
    (found,) = [each for each in store.list(address(f"{HOST}/plain"), "p", "1").items if each.name.endswith("bin")]
    progress = Progress("x", 10, 60)
    store.get(found, tmp_path / "copy", progress)
    assert ((tmp_path / "copy").read_bytes(), progress.bytes, found.size) == (b"bin", 3, 3)


def test_a_change_shows(store):
    """Also one of the same size."""
    before = store.list(address(f"{HOST}/plain"), "p", "1")
    assert store.list(address(f"{HOST}/plain"), "p", "1") == before
    fsspec.filesystem("memory").pipe("/sources/plain/model.bin", b"BIN")
    assert store.list(address(f"{HOST}/plain"), "p", "1").digest != before.digest


@pytest.mark.parametrize(
    ("name", "does"),
    [("a.onnx", True), ("a.onnx.data", True), ("a.onnx_data", True), ("a.bin", True), ("config.pbtxt", True),
     ("SHA256SUMS", True), ("ab.onnx", False), ("b.onnx", False), ("readme", False)],
)  # fmt: skip
def test_what_is_called_after_a_file(name, does):
    """Weights under the names that exporters give them."""
    assert belongs(name, "a.onnx") is does


def test_a_missing_library_says_what_to_install():
    """And a scheme of nobody's is said."""
    with pytest.raises(Failed, match=r"gs:// needs a library .*pip install 'scurry\[gcs\]'"):
        filesystem("gs")
    with pytest.raises(Failed, match="Nothing here opens abacus://"):
        filesystem("abacus")
