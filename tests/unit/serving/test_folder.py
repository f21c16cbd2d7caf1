"""The data directory of one `scurry up`."""

from pathlib import Path

import pytest

from scurry.serving import folder as module
from scurry.serving.folder import SOCKET_BYTES, Folder, FolderInUse


def test_a_directory_belongs_to_one_at_a_time(tmp_path):
    """The second is told who has it, and may have it once it is given back."""
    first, second = Folder(tmp_path / "d"), Folder(tmp_path / "d")
    first.claim()
    with pytest.raises(FolderInUse, match=r"in use by another `scurry up` \(process \d+\)"):
        second.claim()
    first.release()
    second.claim()
    second.release()


def test_giving_back_removes_the_addresses_of_the_owner_only(tmp_path):
    """Who never had the directory must not hide the one who has."""
    owner, other = Folder(tmp_path), Folder(tmp_path)
    owner.claim()
    owner.write("scurry.json", {"pid": 1})
    other.release()
    assert owner.read("scurry.json") == {"pid": 1}
    owner.release()
    assert owner.read("scurry.json") == {}


def test_a_file_that_is_no_object_reads_as_empty(tmp_path):
    """Neither a broken file nor a list is an error."""
    (tmp_path / "a.json").write_text("[1]")
    (tmp_path / "b.json").write_text("{")
    assert Folder(tmp_path).read("a.json") == Folder(tmp_path).read("b.json") == {}


def test_a_log_that_grew_large_is_put_aside(tmp_path, monkeypatch):
    """At the start of a process, so that the directory does not grow for ever."""
    monkeypatch.setattr(module, "LOG_BYTES", 3)
    folder = Folder(tmp_path)
    folder.claim()
    folder.log("redis").write_text("long")
    assert not folder.log("redis").exists()
    assert (tmp_path / "logs" / "redis.log.1").read_text() == "long"
    folder.release()


def test_a_socket_lies_in_the_directory_if_its_name_is_short_enough(tmp_path):
    """The kernel takes no longer one."""
    assert Folder(Path("/d")).socket("redis") == Path("/d/redis.sock")
    assert Folder(Path("/" + "d" * SOCKET_BYTES)).socket("redis") is None
