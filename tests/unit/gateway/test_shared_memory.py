"""Regions of shared memory, in a folder that stands for /dev/shm."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from scurry.gateway.region_notes import FolderNotes, OwnNotes
from scurry.gateway.shared_memory import Region, SharedMemory
from scurry.wire.errors import InvalidRequest


@pytest.fixture
def shm(tmp_path: Path) -> Path:
    """A folder with one object, `/abc`, of 10 bytes."""
    (tmp_path / "abc").write_bytes(b"0123456789")
    return tmp_path


@pytest.fixture
def memory(shm: Path) -> SharedMemory:
    """All of the object but its first two bytes is the region `r`."""
    memory = SharedMemory(OwnNotes(), allowed=True, folder=shm)
    memory.register("r", "/abc", 2, 8)
    return memory


def test_a_region_is_read_and_written(memory: SharedMemory, shm: Path) -> None:
    """By its own offsets; others see it at once, both ways."""
    assert memory.read("r", 1, 3) == b"345"
    memory.write("r", 6, memoryview(b"xy"))
    assert (shm / "abc").read_bytes() == b"01234567xy"
    with (shm / "abc").open("r+b") as file:
        file.write(b"_____")
    assert memory.read("r", 0, 8) == b"___567xy"
    assert memory.status("r") == [{"name": "r", "key": "/abc", "offset": 2, "byte_size": 8}] == memory.status()


@pytest.mark.parametrize(("offset", "size"), [(-1, 2), (0, 9), (7, 2), (0, -1), (9, 0)])
def test_nothing_outside_a_region_is_touched(memory: SharedMemory, shm: Path, offset: int, size: int) -> None:
    """Though the object goes on there."""
    with pytest.raises(InvalidRequest, match="Invalid offset"):
        memory.read("r", offset, size)
    if size > 0:
        with pytest.raises(InvalidRequest, match="Invalid offset"):
            memory.write("r", offset, b"z" * size)
    assert (shm / "abc").read_bytes() == b"0123456789"


@pytest.mark.parametrize(
    ("name", "key", "offset", "size", "sentence"),
    [
        ("r", "/abc", 0, 1, "'r' already in manager"),
        ("", "/abc", 0, 1, "needs a name"),
        ("a/b", "/abc", 0, 1, "needs a name"),
        ("q", "/../abc", 0, 1, "is no key"),
        ("q", "..", 0, 1, "is no key"),
        ("q", "/", 0, 1, "is no key"),
        ("q", "//abc", 0, 1, "is no key"),
        ("q", "/a\0", 0, 1, "is no key"),
        ("q", "/gone", 0, 1, "No such file"),
        ("q", "/link", 0, 1, "Unable to open"),
        ("q", "/folder", 0, 1, "Unable to open"),
        ("q", "/pipe", 0, 1, "Invalid shared memory region"),
        ("q", "/abc", -1, 1, "offset from 0"),
        ("q", "/abc", 0, 0, "byte_size from 1"),
        ("q", "/abc", 3, 8, "has 10 bytes, not 3"),
    ],
)
def test_what_is_no_region_is_refused(  # noqa: PLR0917 - a table
    memory: SharedMemory, shm: Path, name: str, key: str, offset: int, size: int, sentence: str
) -> None:
    """No path leads out of the folder, and nothing but a plain object is opened."""
    (shm / "folder").mkdir()
    (shm / "link").symlink_to(shm / "abc")
    os.mkfifo(shm / "pipe")
    with pytest.raises(InvalidRequest, match=sentence):
        memory.register(name, key, offset, size)
    assert [region["name"] for region in memory.status()] == ["r"]


def test_what_is_unregistered_is_gone(memory: SharedMemory) -> None:
    """Whoever unregisters what is not there is told nothing, as by Triton."""
    memory.unregister("never")
    memory.unregister("r")
    for touch in (lambda: memory.read("r", 0, 1), lambda: memory.write("r", 0, b"x"), lambda: memory.status("r")):
        with pytest.raises(InvalidRequest, match="Unable to find"):
            touch()
    memory.register("r", "abc", 0, 10)
    memory.unregister_all()
    assert memory.status() == []
    assert repr(memory) == "<SharedMemory 0 regions, 0 open>"


def test_an_object_that_becomes_shorter_is_told(memory: SharedMemory, shm: Path) -> None:
    """And ends nothing."""
    os.truncate(shm / "abc", 4)
    assert memory.read("r", 0, 2) == b"23"
    with pytest.raises(InvalidRequest, match="became shorter"):
        memory.read("r", 0, 8)


def test_an_object_without_a_name_stays_with_who_registered_it(memory: SharedMemory, shm: Path) -> None:
    """POSIX lets its owner unlink it at once."""
    (shm / "abc").unlink()
    assert memory.read("r", 0, 2) == b"23"


def test_strangers_register_nothing(shm: Path) -> None:
    """The sentence names the setting; to ask for all is no mistake."""
    memory = SharedMemory(OwnNotes(), allowed=False, folder=shm)
    with pytest.raises(InvalidRequest, match="SCURRY_CLIENT_SHARED_MEMORY") as refused:
        memory.register("r", "/abc", 0, 1)
    assert refused.value.code == "not_allowed"
    memory.unregister_all()
    assert memory.status() == []


@pytest.fixture
def two(shm: Path) -> Any:
    """Two gateways behind one port."""
    folder = shm / "notes"
    return [SharedMemory(FolderNotes(folder), allowed=True, folder=shm) for _ in range(2)]


def test_what_one_gateway_registers_another_knows(two: Any) -> None:
    """Until either forgets it."""
    one, other = two
    one.register("r", "/abc", 2, 8)
    assert other.read("r", 0, 2) == b"23"
    with pytest.raises(InvalidRequest, match="already in manager"):
        other.register("r", "/abc", 0, 1)
    other.unregister("r")
    with pytest.raises(InvalidRequest, match="Unable to find"):
        one.read("r", 0, 2)


def test_a_region_registered_anew_is_read_anew(two: Any, shm: Path) -> None:
    """Also where the former is still open."""
    one, other = two
    one.register("r", "/abc", 0, 4)
    assert other.read("r", 0, 4) == b"0123"
    one.unregister("r")
    (shm / "new").write_bytes(b"abcd")
    one.register("r", "/new", 0, 4)
    assert other.read("r", 0, 4) == b"abcd"


def test_another_object_of_the_same_key_is_not_taken_for_the_first(two: Any, shm: Path) -> None:
    """A caller would read what somebody else wrote."""
    one, other = two
    one.register("r", "/abc", 0, 4)
    (shm / "other").write_bytes(b"abcd")
    (shm / "other").replace(shm / "abc")
    with pytest.raises(InvalidRequest, match="register it again"):
        other.read("r", 0, 4)
    assert one.read("r", 0, 4) == b"0123"


def test_a_region_tells_what_it_is() -> None:
    """Without the inode, which is nobody's business."""
    assert Region("r", "/k", 1, 2, 3).told() == {"name": "r", "key": "/k", "offset": 1, "byte_size": 2}
