"""Lists of checksums."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry.wire.checksums import LISTS, read

A, B = "a" * 64, "B" * 64


def test_as_sha256sum_writes_it():
    """Text or binary, with ./ or without, digests in any case, empty lines."""
    text = f"{A}  model.onnx\n\n{B} *./sub/weights.bin\n"
    assert read("SHA256SUMS", text.encode()) == {"model.onnx": A, "sub/weights.bin": B.lower()}


def test_a_manifest():
    """One that lists no files is somebody else's."""
    manifest = {"files": {"model.onnx": {"sha256": B, "size": 3}}}
    assert read("manifest.json", json.dumps(manifest).encode()) == {"model.onnx": B.lower()}
    assert read("manifest.json", b'{"name": "app"}') == read("manifest.json", b"[]") == {}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("SHA256SUMS", b"abc model.onnx", "line 1 is not a digest"),
        ("SHA256SUMS", f"{A}  ../x".encode(), "'../x' is not below"),
        ("SHA256SUMS", f"{A}  /x".encode(), "is not below"),
        ("manifest.json", b'{"files": {"x": {}}}', "'x' has no sha256"),
        ("manifest.json", b'{"files": {"x": 3}}', "'x' has no sha256"),
        ("manifest.json", b"{", "Expecting"),
        ("SHA256SUMS", b"\xff\xfe", "decode"),
    ],
)
def test_what_is_wrong_is_said(name, content, says):
    """And nothing else is raised."""
    with pytest.raises(ValueError, match=says):
        read(name, content)


@given(st.sampled_from(LISTS), st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_a_list_or_an_error(name, content):
    """And no name in it leads elsewhere."""
    try:
        found = read(name, content)
    except ValueError:
        return
    assert not any(".." in each.split("/") or each.startswith("/") for each in found)
