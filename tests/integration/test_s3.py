"""Models from a real S3 server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.stores import BUCKET, S3Server, environment, s3_server

from scurry.runtimes.checksums import check
from scurry.sources.allowed import Allowed
from scurry.sources.cache import Cache
from scurry.sources.fetch import Sources
from scurry.wire.errors import Failed

URI = f"s3://{BUCKET}/repo"


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    """One for all tests here; each with keys of its own."""
    with s3_server() as made, environment(made.environ):
        yield made


@pytest.fixture
def sources(tmp_path) -> Sources:
    """What may be fetched from the bucket's repository."""
    return Sources(Allowed(URI), Cache(tmp_path, 64 << 20), check, sleep=lambda _: None)


def test_a_version_is_copied_with_all_that_lies_below_it(server, sources):
    """In parts where an object is large; not the other versions."""
    many = {f"repo/many/1/assets/{number}": b"x" for number in range(40)}
    large = bytes(range(256)) * (12 << 12)
    server.put({**many, "repo/many/1/model.onnx": large, "repo/many/config.pbtxt": b"", "repo/many/2/model.onnx": b""})
    fetched = sources.fetch(URI, "many", "1")
    assert (fetched.path / "model.onnx").read_bytes() == large
    assert len(list((fetched.path / "assets").iterdir())) == 40
    assert sorted(each.name for each in fetched.folder.iterdir()) == ["1", "config.pbtxt"]


def test_a_changed_object_is_another_copy(server, sources):
    """Of the same size: the ETag tells."""
    server.put({"repo/net/1/model.onnx": b"one"})
    first = sources.fetch(URI, "net", "1")
    assert sources.fetch(URI, "net", "1").path == first.path
    server.put({"repo/net/1/model.onnx": b"two"})
    second = sources.fetch(URI, "net", "1")
    assert (second.path / "model.onnx").read_bytes() == b"two"
    assert (first.path / "model.onnx").read_bytes() == b"one"


def test_a_key_that_leads_elsewhere_is_refused(server, sources, tmp_path):
    """A bucket may hold any name."""
    server.put({"repo/evil/1/model.onnx": b"", "repo/evil/1/../../../../escaped": b"x"})
    with pytest.raises(Failed, match="may lead elsewhere"):
        sources.fetch(URI, "evil", "1")
    assert not list(tmp_path.rglob("escaped"))


def test_what_is_not_there_is_said(server, sources):
    """A bucket, a prefix, a version."""
    with pytest.raises(Failed, match="There is no file or directory s3://models/repo/none"):
        sources.fetch(f"{URI}/none", "net", "1")
    elsewhere = Sources(Allowed("s3://nobody"), sources._cache, sleep=lambda _: None)
    with pytest.raises(Failed, match="s3://nobody"):
        elsewhere.fetch("s3://nobody/net", "net", "1")
