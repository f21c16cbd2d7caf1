"""What the files of a model hold."""

from __future__ import annotations

import os
from pathlib import Path

from scurry.runtimes import fingerprints
from scurry.runtimes.fingerprints import fingerprint


def test_names_and_contents_count(tmp_path):
    """Where the files lie and when they were written does not."""
    one, same, other = (tmp_path / name / "model.onnx" for name in ("one", "same", "other"))
    for path, content in ((one, b"a"), (same, b"a"), (other, b"b")):
        path.parent.mkdir()
        path.write_bytes(content)
    assert fingerprint([one]) == fingerprint([same]) != fingerprint([other])
    renamed = one.rename(one.with_name("m.onnx"))
    assert fingerprint([renamed]) != fingerprint([same])
    assert fingerprint([renamed, same]) != fingerprint([same, renamed])


def test_a_file_is_read_again_only_when_it_looks_different(tmp_path, monkeypatch):
    """Even when its size and its time of writing were kept."""
    path, reads, digest = tmp_path / "m", [], fingerprints.hashlib.file_digest

    def counted(file, name):
        reads.append(file.name)
        return digest(file, name)

    monkeypatch.setattr(fingerprints.hashlib, "file_digest", counted)
    path.write_bytes(b"abc")
    before, times = fingerprint([path]), path.stat()
    assert fingerprint([path]) == before
    tmp_path.rename(tmp_path.with_name("moved"))  # as a copy that is complete
    assert fingerprint([tmp_path.with_name("moved") / "m"]) == before
    tmp_path.with_name("moved").rename(tmp_path)
    assert len(reads) == 1
    path.unlink()
    Path(tmp_path / "filler").write_bytes(b"")  # takes the inode
    path.write_bytes(b"xyz")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert fingerprint([path]) != before
    assert len(reads) == 2
