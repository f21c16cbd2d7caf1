"""Files that callers leave for workers on the same machine."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.wire import shared_payloads
from scurry.wire.names import Keys
from scurry.wire.shared_payloads import (
    MACHINE,
    MOST_BYTES,
    OwnPayloads,
    SharedFolder,
    SharedPayloads,
    clear_deserted,
    found,
)

CLIENT = "0123456789ab"
KEY = Keys().payload_in(f"me-{CLIENT}-1f", "x")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[SharedFolder]:
    """One that workers read."""
    one = SharedFolder(tmp_path / "scurry")
    yield one
    one.close()


@pytest.fixture
def folder(made: SharedFolder) -> Path:
    """Where it is."""
    return made._folder


def test_a_payload_is_read_as_it_was_left_without_a_copy(folder: Path) -> None:
    """And what was read outlives its removal."""
    own, reader = OwnPayloads(folder, CLIENT), SharedPayloads(str(folder))
    data = os.urandom(100_000)
    assert own.put(KEY, data)
    read = reader.read(KEY)
    assert read == data
    assert isinstance(read, memoryview) and read.readonly
    own.remove(KEY)
    assert reader.read(KEY) is None
    assert read == data
    own.close()


@pytest.mark.parametrize("view", [bytes, memoryview])
def test_views_are_left_like_bytes(folder: Path, view: type) -> None:
    """The gateway parks slices of the body that it read."""
    own = OwnPayloads(folder, CLIENT)
    assert own.put(KEY, view(b"0123456789")[2:5])
    assert SharedPayloads(str(folder)).read(KEY) == b"234"
    own.close()


@pytest.mark.parametrize(
    "key",
    [
        Keys().payload_in("an id of a user's own", "x"),
        Keys().payload_in(f"me-{'f' * 12}-1", "x"),  # another client's
        Keys().payload_out(f"me-{CLIENT}-1", "abc", "x"),
        f"scurry:payload:{CLIENT}:in:x",
        f"scurry:payload:../../{CLIENT}-1/..:in:x",
        "",
    ],
)
def test_only_what_a_client_made_for_itself_is_left(folder: Path, key: str) -> None:
    """All else goes to Redis, where others may ask for it."""
    own = OwnPayloads(folder, CLIENT)
    assert not own.put(key, b"data")
    assert SharedPayloads(str(folder)).read(key) is None
    assert list((folder / CLIENT).iterdir()) == []
    own.close()


@given(st.text(max_size=60))
def test_no_key_leads_out_of_the_folder(text: str) -> None:
    """Whatever an id or a tensor's name holds, the path is two names of hexadecimal digits."""
    for key in (text, f"scurry:payload:{text}", Keys().payload_in(text, text), f"x-{CLIENT}-1:in:{text}"):
        name = shared_payloads._name(key)
        if name is not None:
            client, _, digest = name.partition("/")
            assert (len(client), len(digest)) == (12, 32)
            assert set(client + digest) <= set("0123456789abcdef")


def test_other_keys_have_other_files(folder: Path) -> None:
    """Two inputs of one request, and two requests."""
    own, reader = OwnPayloads(folder, CLIENT), SharedPayloads(str(folder))
    keys = [Keys().payload_in(f"{CLIENT}-{number}", name) for number in (1, 2) for name in "xy"]
    for key in keys:
        assert own.put(key, key.encode())
    assert [reader.read(key) for key in keys] == [key.encode() for key in keys]
    own.close()


def test_empty_and_huge_payloads_go_to_redis(folder: Path) -> None:
    """An empty file cannot be mapped, and a huge one would keep the event loop."""
    own = OwnPayloads(folder, CLIENT)
    assert not own.put(KEY, b"")
    assert not own.put(KEY, bytes(MOST_BYTES + 1))
    assert own.put(KEY, bytes(MOST_BYTES))
    own.close()


def test_what_was_never_written_is_not_there(folder: Path) -> None:
    """A client that was killed between making a file and filling it left no payload."""
    own = OwnPayloads(folder, CLIENT)
    assert own.put(KEY, bytes(100_000))
    (file,) = (path for path in folder.rglob("*") if path.is_file() and path.stat().st_size == 100_000)
    os.truncate(file, 0)
    assert SharedPayloads(str(folder)).read(KEY) is None


def test_a_key_is_written_once(folder: Path) -> None:
    """What a worker may be reading never changes."""
    own = OwnPayloads(folder, CLIENT)
    assert own.put(KEY, b"first")
    assert not own.put(KEY, b"second")
    assert SharedPayloads(str(folder)).read(KEY) == b"first"
    own.close()


def test_nothing_half_written_stays(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When memory is full it goes to Redis, and the file is removed."""
    own, whole = OwnPayloads(folder, CLIENT), os.write

    def full(file: int, data: memoryview) -> int:
        if len(data) < 10:
            raise OSError(errno.ENOSPC, "No space left on device")
        return whole(file, data[:5])

    monkeypatch.setattr(os, "write", full)
    assert not own.put(KEY, b"0123456789")
    assert SharedPayloads(str(folder)).read(KEY) is None
    own.close()


def test_what_a_killed_client_left_is_swept(folder: Path) -> None:
    """By whoever comes next; what living ones have stays."""
    script = (
        "import sys, os; from pathlib import Path; from scurry.wire.shared_payloads import OwnPayloads\n"
        "OwnPayloads(Path(sys.argv[1]), 'a' * 12).put('x-' + 'a' * 12 + '-1:in:x', b'data'); os._exit(9)"
    )
    environ = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", script, str(folder)], check=False, env=environ)
    assert list((folder / ("a" * 12)).iterdir())
    living = OwnPayloads(folder, CLIENT)
    living.put(KEY, b"mine")
    another = OwnPayloads(folder, "b" * 12)
    assert sorted(each.name for each in folder.iterdir() if each.is_dir()) == [CLIENT, "b" * 12]
    assert SharedPayloads(str(folder)).read(KEY) == b"mine"
    living.close()
    another.close()


def test_a_folder_that_comes_back_keeps_what_lives(tmp_path: Path) -> None:
    """A caller may still wait when `scurry up` comes back."""
    folder = tmp_path / "scurry"
    first = SharedFolder(folder)
    own = OwnPayloads(folder, CLIENT)
    own.put(KEY, b"mine")
    first.close()
    second = SharedFolder(folder)
    assert second.token == first.token
    assert SharedPayloads(str(folder)).read(KEY) == b"mine"
    own.close()
    second.close()
    assert not folder.exists()


def test_only_deserted_folders_are_cleared(made: SharedFolder, folder: Path, tmp_path: Path) -> None:
    """Those whose `scurry up` was killed; never one that lives, nor what a living client has."""
    for name in ("scurry-dead", "scurry-used"):
        left = SharedFolder(tmp_path / name)
        os.close(left._lock)  # as if it was killed
    own = OwnPayloads(tmp_path / "scurry-used", CLIENT)
    own.put(KEY, b"mine")
    clear_deserted(tmp_path, "scurry*")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["scurry", "scurry-used"]
    assert SharedPayloads(str(tmp_path / "scurry-used")).read(KEY) == b"mine"
    assert made.token
    own.close()


def test_a_folder_has_one_owner(made: SharedFolder, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another says so instead of waiting for ever."""
    monkeypatch.setattr(shared_payloads, "TRY_S", 0.0)
    with pytest.raises(OSError, match="is another's"):
        SharedFolder(folder)


def test_a_folder_is_found_by_its_token(folder: Path) -> None:
    """A folder of the same name on another machine has another."""
    token = (folder / MACHINE).read_text()
    assert found(f"{folder} {token}".encode()) == folder
    for told in ("", " ", f"{folder} ", f"{folder} other", "/nowhere x", "/no\0where x", f"{folder}/{token}"):
        assert found(told.encode()) is None
    folder.chmod(0o755)
    assert found(f"{folder} {token}".encode()) is None


def test_a_folder_of_others_is_not_used(tmp_path: Path) -> None:
    """Who may write there might leave other bytes for a key."""
    stranger = tmp_path / "stranger"
    stranger.mkdir(mode=0o700)
    stranger.chmod(0o770)
    with pytest.raises(PermissionError, match="not this user's alone"):
        SharedFolder(stranger)


def test_a_directory_that_is_swept_at_once_is_made_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another's sweep may come between making it and locking it."""
    lock, swept = shared_payloads._lock, []

    def sweeping(place: Path) -> int | None:
        if not swept:
            swept.append(place)
            place.rmdir()
        return lock(place)

    monkeypatch.setattr(shared_payloads, "_lock", sweeping)
    own = OwnPayloads(folder, CLIENT)
    assert swept and own.put(KEY, b"data")
    own.close()
