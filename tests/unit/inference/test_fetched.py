"""Models that are fetched before they are opened, from fsspec's store in memory."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import fsspec
import pytest

from scurry.inference.fetched import FetchingOpener, Places
from scurry.wire.errors import Failed, InvalidRequest
from scurry.wire.messages_pb2 import ModelSpec

URI = "memory://fetched/net"


@pytest.fixture
def memory(linear) -> Iterator[fsspec.AbstractFileSystem]:
    """A store with one model."""
    store = fsspec.filesystem("memory")
    store.pipe("/fetched/net/1/model.onnx", linear().read_bytes())
    yield store
    store.rm("/fetched", recursive=True)


@pytest.fixture
def opener(tmp_path) -> FetchingOpener:
    """Who may fetch from there."""
    return Places(str(tmp_path / "root"), "memory://fetched", str(tmp_path / "cache"), 1 << 20).opener(1)


def test_a_model_is_fetched_and_opened(memory, opener):
    """Its files lie outside of the models' root, in the copy, and nowhere else."""
    subject = opener.find("net", "1", ModelSpec(uri=URI))
    assert subject.file.path.parts[-3:] == ("files", "1", "model.onnx")
    assert opener.open(subject, "").name == "onnx"
    assert opener.sources.fetches == 1


def test_what_was_registered_is_opened_without_its_source(memory, opener):
    """The recorded fingerprint tells the right copy of several."""
    first = opener.find("net", "1", ModelSpec(uri=URI)).fingerprint
    memory.pipe("/fetched/net/1/config.json", b'{"max_batch_size": 2}')
    second = opener.find("net", "1", ModelSpec(uri=URI)).fingerprint
    assert first != second
    memory.rm("/fetched/net", recursive=True)
    for each in (first, second):
        assert opener.find("net", "1", ModelSpec(uri=URI, fingerprint=each)).fingerprint == each
    with pytest.raises(Failed, match="There is no file or directory"):
        opener.find("net", "1", ModelSpec(uri=URI))
    memory.pipe("/fetched/net/1/model.onnx", b"")  # for the fixture


def test_what_changed_since_is_the_shelfs_to_refuse(memory, opener):
    """It gets what is there now, and its fingerprint."""
    found = opener.find("net", "1", ModelSpec(uri=URI, fingerprint="0" * 32))
    assert found.fingerprint == opener.find("net", "1", ModelSpec(uri=URI)).fingerprint


def test_files_stay_as_long_as_the_model(memory, opener, tmp_path):
    """Whoever has the model open may open it again; then the copy may go."""
    cache = opener.sources._cache
    cache._limit = 3000
    opened = opener.open(opener.find("net", "1", ModelSpec(uri=URI)), "")
    with pytest.raises(Failed, match="no room"):
        cache.reserve(3000)
    opened.reopen()
    del opened
    gc.collect()
    cache.drop(cache.reserve(3000))


def test_nothing_is_fetched_without_the_setting(tmp_path, linear):
    """What lies here is opened as ever."""
    opener = Places(cache=str(tmp_path / "cache"), cache_bytes=1).opener(1)
    with pytest.raises(InvalidRequest, match="SCURRY_SOURCES"):
        opener.find("net", "1", ModelSpec(uri=URI))
    path = linear("m/model.onnx")
    assert opener.find("m", "1", ModelSpec(uri=f"file://{path}")).file.path == path
    assert not (tmp_path / "cache").exists()


def test_a_copy_is_a_jail(memory, opener):
    """A model that names weights elsewhere does not get them."""
    memory.pipe("/fetched/net/1/config.json", b'{"default_model_filename": "../../../x.onnx"}')
    with pytest.raises(Failed, match="There is no file"):
        opener.find("net", "1", ModelSpec(uri=URI))
