"""Copies within a bound."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from scurry.sources.cache import TEMPORARY, Cache, Copy
from scurry.wire.errors import Failed, Unavailable

LIMIT = 1000


def name(letter: str) -> str:
    """A digest."""
    return hashlib.md5(letter.encode()).hexdigest()


def put(cache: Cache, address: str, size: int, listing: str = "l") -> Copy:
    """A copy of so many bytes."""
    with cache.fetching(name(address), 1):
        room = cache.reserve(size)
        (room.path / "file").write_bytes(bytes(size))
        return cache.keep(room, name(address), name(listing))


def used(copy: Copy, at: int) -> None:
    """Say when a copy was used, and let it go."""
    os.utime(copy.path, (at, at))
    copy.release()


def held(cache: Cache, *addresses: str) -> list[bool]:
    """Whether there is a copy of each, without using it."""
    return [any(path.is_dir() for path in (cache._folder / name(address)).glob("*")) for address in addresses]


def test_what_was_put_is_found(tmp_path):
    """By address and listing, or all of an address, the last used first."""
    cache = Cache(tmp_path / "c", LIMIT)
    assert (list(cache.copies(name("a"))), cache.find(name("a"), name("l")), cache.bytes) == ([], None, 0)
    used(put(cache, "a", 100, "old"), 1)
    used(put(cache, "a", 100, "new"), 2)
    assert [copy.path.name for copy in cache.copies(name("a"))] == [f"{name('new')}-100", f"{name('old')}-100"]
    found = cache.find(name("a"), name("old"))
    assert (found.path / "file").stat().st_size == 100
    assert (cache.find(name("a"), name("other")), cache.find(name("b"), name("old")), cache.bytes) == (None, None, 200)
    assert (repr(found), repr(cache)) == (f"<Copy {name('a')}/{name('old')}-100>", f"<Cache {tmp_path / 'c'}, 0 MiB>")


def test_the_longest_unused_makes_room(tmp_path):
    """As many as it takes, and an address that has none left goes too."""
    cache = Cache(tmp_path, LIMIT)
    for at, letter in enumerate("abc"):
        used(put(cache, letter, 300), at)
    used(cache.find(name("a"), name("l")), 9)
    used(put(cache, "d", 400), 10)
    assert held(cache, *"abcd") == [True, False, True, True]
    assert not (tmp_path / name("b")).exists()
    assert cache.bytes == LIMIT


def test_what_is_in_use_stays(tmp_path):
    """And what has no room beside it is refused with the setting's name."""
    cache = Cache(tmp_path, LIMIT)
    using = put(cache, "a", 600)
    put(cache, "b", 400).release()
    with pytest.raises(Failed, match=r"no room for 0.0 MiB beside what is in use: .* \(SCURRY_CACHE_MB\)"):
        put(cache, "c", 500)
    put(cache, "c", 400).release()
    assert held(cache, *"abc") == [True, False, True]
    del using
    put(cache, "d", 500).release()
    assert held(cache, *"acd") == [False, True, True]


def test_what_is_being_filled_counts_and_stays(tmp_path):
    """Two who fetch at once do not pass the bound together."""
    one, other = Cache(tmp_path, LIMIT), Cache(tmp_path, LIMIT)
    with one.fetching(name("a"), 1):
        room = one.reserve(700)
        with other.fetching(name("b"), 1), pytest.raises(Failed, match="no room"):
            other.reserve(400)
        assert room.path.is_dir()
        one.drop(room)
    put(other, "b", 400).release()


def test_a_crash_leaves_what_the_next_one_removes(tmp_path):
    """Half a copy is never found; the bytes are free again."""
    cache = Cache(tmp_path, LIMIT)
    with cache.fetching(name("a"), 1):
        room = cache.reserve(900)
        (room.path / "half").write_text("x")
        os.close(room.handle)  # as the kernel does
    assert cache.find(name("a"), name("l")) is None
    put(cache, "b", 800).release()
    assert list((tmp_path / TEMPORARY).iterdir()) == []
    assert cache.bytes == 800


def test_one_fetches_at_a_time(tmp_path):
    """From one address; whoever waits too long says so."""
    cache = Cache(tmp_path, LIMIT)
    with cache.fetching(name("a"), 1):
        with cache.fetching(name("b"), 1):
            pass
        with pytest.raises(Unavailable, match="still fetching"), cache.fetching(name("a"), 0.0):
            pass
    with cache.fetching(name("a"), 0.0):
        pass


def test_a_fetch_that_fails_leaves_nothing(tmp_path):
    """Not even a directory: whoever waited makes it again."""
    cache, entered = Cache(tmp_path, LIMIT), threading.Event()

    def wait() -> None:
        entered.set()
        put(cache, "a", 100).release()

    with cache.fetching(name("a"), 1):
        waiting = threading.Thread(target=wait)
        waiting.start()
        assert entered.wait(10)
    waiting.join(10)
    assert cache.find(name("a"), name("l")) is not None
    with cache.fetching(name("b"), 1):
        pass
    assert not (tmp_path / name("b")).exists()


def test_what_is_not_its_own_is_not_touched(tmp_path):
    """Whoever names a directory that is in use loses nothing of it."""
    others = [tmp_path / "home" / "thesis-1000", tmp_path / TEMPORARY / "notes", tmp_path / name("a") / "mine"]
    for each in others:
        each.mkdir(parents=True)
    cache = Cache(tmp_path, LIMIT)
    for letter in "abc":
        put(cache, letter, 900).release()
    assert all(each.is_dir() for each in others)


def test_another_users_directory_is_not_used(tmp_path):
    """Anybody may make directories in the system's temporary one."""
    with (
        mock.patch("os.geteuid", return_value=os.geteuid() + 1),
        pytest.raises(Failed, match="belongs to another user"),
        Cache(tmp_path, LIMIT).fetching(name("a"), 1),
    ):
        pass


def test_many_at_once(tmp_path):
    """Threads with caches of their own: nobody's copy goes while it is held, and the bound holds in the end."""
    failures: list[BaseException] = []

    def work(number: int) -> None:
        cache = Cache(tmp_path, LIMIT)
        try:
            for turn in range(30):
                address = f"a{(number + turn) % 7}"
                copy = cache.find(name(address), name("l"))
                if copy is None:
                    with cache.fetching(name(address), 30):
                        if (copy := cache.find(name(address), name("l"))) is None:
                            room = cache.reserve(120)
                            (room.path / "file").write_bytes(bytes(120))
                            copy = cache.keep(room, name(address), name("l"))
                assert (copy.path / "file").stat().st_size == 120
                copy.release()
        except BaseException as cause:
            failures.append(cause)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert not failures
    assert Cache(tmp_path, LIMIT).bytes <= LIMIT


class Shared(RuleBasedStateMachine):
    """Whatever is put, held and let go, in whatever order."""

    copies = Bundle("copies")

    def __init__(self) -> None:
        super().__init__()
        self._at = TemporaryDirectory()
        self.cache, self.held = Cache(Path(self._at.name), LIMIT), []

    @rule(target=copies, address=st.sampled_from("abcd"), size=st.integers(0, 600))
    def put(self, address, size):
        """A copy comes, or there is no room beside those that are held."""
        if found := self.cache.find(name(address), name("l")):
            self.held.append(found)
            return found
        try:
            copy = put(self.cache, address, size)
        except Failed:
            assert (
                sum(int(each.path.name.rpartition("-")[2]) for each in {e.path: e for e in self.held}.values()) + size
                > LIMIT
            )
            return None
        self.held.append(copy)
        return copy

    @rule(copy=consumes(copies))
    def let_go(self, copy):
        """It may be evicted from now on."""
        if copy is not None:
            self.held.remove(copy)
            copy.release()

    @invariant()
    def what_is_held_is_there(self):
        """And the bound holds."""
        assert all((copy.path / "file").is_file() for copy in self.held)
        assert self.cache.bytes <= LIMIT

    def teardown(self):
        """Leave nothing."""
        for copy in self.held:
            copy.release()
        self._at.cleanup()


TestShared = Shared.TestCase
TestShared.settings = settings(max_examples=40, stateful_step_count=20, deadline=None)
