"""Bringing files here, from a source that fails as it is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from scurry.runtimes.checksums import check
from scurry.sources import fetch as module
from scurry.sources.allowed import Allowed
from scurry.sources.cache import Cache
from scurry.sources.fetch import MANIFEST, Sources
from scurry.sources.listing import Item, Listing, listing
from scurry.wire.errors import Failed, InvalidRequest, Unavailable

URI = "s3://bucket/net"


class Shop:
    """A source of one file; `trouble` is called before each step with its number, from 1."""

    def __init__(self, content: bytes = b"content") -> None:
        self.content, self.steps, self.connected = content, 0, 0
        self.trouble: Callable[[int], None] = lambda _: None
        self.sums: bytes = b""

    def connect(self, *_: object) -> Shop:
        self.connected += 1
        return self

    def list(self, *_: object) -> Listing:
        self._step()
        items = {"1/a": Item("1/a", "a", len(self.content), str(hash(self.content)))}
        if self.sums:
            items["1/SHA256SUMS"] = Item("1/SHA256SUMS", "sums", len(self.sums), str(hash(self.sums)))
        return listing("1", items)

    def get(self, found: Item, target: Path, progress) -> None:
        self._step()
        content = self.sums if found.source == "sums" else self.content
        progress.relative_update(len(content))
        target.write_bytes(content)

    def _step(self) -> None:
        self.steps += 1
        self.trouble(self.steps)


@pytest.fixture
def shop() -> Shop:
    """A sound one."""
    return Shop()


@pytest.fixture
def pauses() -> list[float]:
    """How long was waited between tries."""
    return []


@pytest.fixture
def sources(tmp_path, shop, pauses) -> Sources:
    """An empty cache in front of the shop."""
    cache = Cache(tmp_path / "cache", 1 << 20)
    return Sources(Allowed("s3://bucket"), cache, check, connect=shop.connect, sleep=pauses.append)


def fails(*steps: int, cause: Exception) -> Callable[[int], None]:
    """Trouble at some steps."""

    def trouble(step: int) -> None:
        if step in steps:
            raise cause

    return trouble


def test_it_is_fetched_once_and_told(sources, shop, caplog):
    """A second look finds the copy by its listing; what was listed is written down beside it."""
    with caplog.at_level("INFO"):
        first = sources.fetch(URI, "net", "1")
    assert (first.path / "a").read_bytes() == b"content"
    assert first.path.is_relative_to(first.folder)
    assert json.loads((first.copy.path / MANIFEST).read_text())["uri"] == URI
    assert sources.fetch(URI, "net", "1").path == first.path
    assert (shop.steps, shop.connected, sources.fetches, sources.bytes) == (4, 1, 1, 7)
    assert "fetched s3://bucket/net: 1 files, 7 bytes" in caplog.text
    assert repr(sources) == "<Sources <Allowed s3://bucket>, 1 fetches of 7 bytes>"


def test_copies_are_there_without_the_source(sources, shop):
    """Every state that was fetched, the last used first; of another model there are none."""
    sources.fetch(URI, "net", "1")
    shop.content = b"changed"
    sources.fetch(URI, "net", "1")
    shop.trouble = fails(*range(100), cause=OSError("away"))
    kept = [(each.path / "a").read_bytes() for each in sources.kept(URI, "net", "1")]
    assert sorted(kept) == [b"changed", b"content"]
    assert list(sources.kept(URI, "net", "2")) == []


def test_what_is_not_allowed_is_not_asked_for(sources, shop):
    """Nor is a copy of it given: the setting may have changed."""
    for ask in (sources.fetch, lambda *args: list(sources.kept(*args))):
        with pytest.raises(InvalidRequest, match="SCURRY_SOURCES"):
            ask("s3://elsewhere/net", "net", "1")
    assert shop.connected == 0


@pytest.mark.parametrize("step", [1, 2, 3])
@pytest.mark.parametrize("cause", [OSError("broken pipe"), TimeoutError(), ConnectionResetError("reset")])
def test_a_network_that_fails_is_tried_again(sources, shop, pauses, step, cause):
    """At the listing, at the copying, at the second look; with pauses that grow."""
    shop.trouble = fails(step, cause=cause)
    assert (sources.fetch(URI, "net", "1").path / "a").read_bytes() == b"content"
    assert pauses == [0.5]


def test_after_a_few_tries_the_reason_is_told(sources, shop, pauses):
    """As `load_failed`; nothing half stays behind."""
    shop.trouble = fails(*range(2, 100, 2), cause=OSError("no route to host"))
    with pytest.raises(Failed, match="s3://bucket/net cannot be fetched: no route to host") as caught:
        sources.fetch(URI, "net", "1")
    assert (caught.value.code, pauses) == ("load_failed", [0.5, 1.0, 2.0])
    assert sources._cache.bytes == 0


@pytest.mark.parametrize(
    "cause", [FileNotFoundError("no such key"), PermissionError("denied"), Failed("load_failed", "x")]
)
def test_what_would_end_the_same_is_not_tried_again(sources, shop, pauses, cause):
    """What is not there, or is denied."""
    shop.trouble = fails(1, cause=cause)
    with pytest.raises(Failed):
        sources.fetch(URI, "net", "1")
    assert (shop.steps, pauses) == (1, [])


def test_what_changes_while_it_is_copied_is_copied_again(sources, shop):
    """The second look tells."""

    def change(step: int) -> None:
        if step == 3:
            shop.content = b"after all"

    shop.trouble = change
    assert (sources.fetch(URI, "net", "1").path / "a").read_bytes() == b"after all"


def test_what_comes_short_is_copied_again(sources, shop, monkeypatch):
    """The size was listed."""
    whole = shop.get
    monkeypatch.setattr(shop, "get", lambda found, target, _: target.write_bytes(b"con"))
    with pytest.raises(Failed, match="3 bytes of 1/a came, 7 were listed"):
        sources.fetch(URI, "net", "1")
    monkeypatch.setattr(shop, "get", whole)
    assert (sources.fetch(URI, "net", "1").path / "a").read_bytes() == b"content"


def test_checksums_that_do_not_hold_refuse_it(sources, shop):
    """Before it gets its place: the next try does not find it."""
    shop.sums = f"{'0' * 64}  a\n".encode()
    with pytest.raises(Failed, match="is not what SHA256SUMS beside it says"):
        sources.fetch(URI, "net", "1")
    assert list(sources.kept(URI, "net", "1")) == []


def test_a_damaged_copy_is_not_used(sources):
    """One whose files are not as long as was listed, or that does not say."""
    copy = sources.fetch(URI, "net", "1").copy
    (copy.path / "files/1/a").write_bytes(b"c")
    assert list(sources.kept(URI, "net", "1")) == []
    (copy.path / MANIFEST).write_text("[]")
    assert list(sources.kept(URI, "net", "1")) == []
    assert (sources.fetch(URI, "net", "1").path / "a").read_bytes() == b"content"
    assert copy.path.is_dir()
    before = sources.fetches
    assert (sources.fetch(URI, "net", "1").path / "a").read_bytes() == b"content"
    assert sources.fetches == before, "what took its place is found"


def test_a_change_that_would_not_show_is_not_trusted(sources, shop, monkeypatch):
    """Without a mark the files are fetched anew for a new registration; who uses the old ones keeps them."""
    monkeypatch.setattr(shop, "list", lambda *_: listing("1", {"1/a": Item("1/a", "a", 7)}))
    first = sources.fetch(URI, "net", "1")
    shop.content = b"CONTENT"
    assert (sources.fetch(URI, "net", "1").path / "a").read_bytes() == b"CONTENT"
    assert (first.path / "a").read_bytes() == b"content"


def test_a_worker_that_leaves_tries_no_more(sources, shop, pauses):
    """What it was fetching ends."""
    shop.trouble = fails(1, cause=OSError("slow"))
    sources.close()
    with pytest.raises(Failed, match="slow"):
        sources.fetch(URI, "net", "1")
    with pytest.raises(Unavailable, match="about to leave"):
        sources.fetch(URI, "net", "1")
    assert pauses == []


def test_another_worker_that_fetches_is_waited_for(sources, monkeypatch):
    """Not for ever."""
    monkeypatch.setattr(module, "SECONDS", 0.2)
    name = module._name(sources._allowed.check(URI), "net", "1")
    with sources._cache.fetching(name, 1), pytest.raises(Unavailable, match="still fetching"):
        sources.fetch(URI, "net", "1")
