"""Which places models may be fetched from."""

from __future__ import annotations

from pathlib import PurePosixPath
from urllib.parse import quote, unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scurry import settings
from scurry.rules import InvalidSettings
from scurry.sources.allowed import Allowed, address, is_plain, is_remote
from scurry.wire.errors import InvalidRequest

ALLOWED = Allowed("s3://bucket/models, https://models.example.org/")


@pytest.mark.parametrize(
    ("uri", "remote"),
    [("/a", False), ("a", False), ("file:///a", False), ("FILE:///a", False), ("local://a", False), ("", False),
     ("s3://a", True), ("https://h/a", True), ("oci://h/a", True), ("memory://a", True)],
)  # fmt: skip
def test_paths_are_local_and_other_schemes_are_not(uri, remote):
    """What is local never comes here."""
    assert is_remote(uri) is remote


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/models", "s3://bucket/models/", "s3://bucket/models/net/1/model.onnx", "S3://bucket/models/net",
     "https://models.example.org/net", "https://MODELS.example.org/net/", "https://models.example.org/a%20b"],
)  # fmt: skip
def test_what_lies_below_a_source_is_allowed(uri):
    """Scheme and host alike, path name by name."""
    assert ALLOWED.permits(ALLOWED.check(uri))


@pytest.mark.parametrize(
    "uri",
    ["s3://bucket/models2", "s3://bucket/model", "s3://bucket", "s3://Bucket/models/net", "s3://bucket2/models",
     "http://models.example.org/net", "https://models.example.org:444/net", "https://models.example.org.evil/net",
     "gs://bucket/models/net"],
)  # fmt: skip
def test_what_lies_elsewhere_is_not(uri):
    """The sentence names the setting and what it holds."""
    with pytest.raises(InvalidRequest, match="SCURRY_SOURCES: s3://bucket/models, https://models") as caught:
        ALLOWED.check(uri)
    assert caught.value.code == "not_allowed"


def test_without_the_setting_nothing_is():
    """There is no default."""
    with pytest.raises(InvalidRequest, match="SCURRY_SOURCES: nothing"):
        Allowed().check("s3://bucket/models")
    assert repr(Allowed()) == "<Allowed nothing>"
    assert "s3://bucket/models" in repr(ALLOWED)


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("s3://key:secret@bucket/models/net", "holds no credentials"),
        ("https://models.example.org/net?token=secret", "has a query or a fragment"),
        ("https://models.example.org/net#secret", "has a query or a fragment"),
        ("s3://bucket/models/../private", "may lead elsewhere"),
        ("s3://bucket/models/./net", "may lead elsewhere"),
        ("s3://bucket/models//net", "may lead elsewhere"),
        ("https://models.example.org/%2e%2e/net", "may lead elsewhere"),
        ("https://models.example.org/%252e%252e/net", "may lead elsewhere"),
        ("https://models.example.org/a%2fb", "may lead elsewhere"),
        ("https://models.example.org/a%5Cb", "may lead elsewhere"),
        ("https://models.example.org/a\\b", "may lead elsewhere"),
        ("https://models.example.org/a%00b", "may lead elsewhere"),
        ("s3://bucket/models/a\nb", "may lead elsewhere"),
        ("s3:///models", "has a scheme, a host"),
        ("oci://registry/image", "mount the image as a volume"),
    ],
)
def test_a_uri_is_a_place_and_no_more(uri, says):
    """Each refusal says why, and repeats nothing that was secret."""
    with pytest.raises(InvalidRequest, match=says) as caught:
        ALLOWED.check(uri)
    assert caught.value.code == "not_allowed"
    assert "secret" not in caught.value.message


STEP = st.sampled_from(
    ["..", ".", "", "a", "%2e%2e", "%2E.", "..%2f", "%252e%252e", "a%2f..%2f..", "models", "\\..", "net"]
)


@given(st.lists(STEP, max_size=6), st.integers(0, 3))
def test_no_path_leaves_its_source(names, times):
    """However it is written: what is allowed lies below the prefix after every decoding and after `..` was followed."""
    path = "/".join(names)
    for _ in range(times):
        path = quote(path, safe="/")
    try:
        place = ALLOWED.check(f"s3://bucket/models/{path}")
    except InvalidRequest:
        return
    text = str(place)
    for _ in range(6):
        parts = PurePosixPath(text.removeprefix("s3://")).parts
        assert ".." not in parts
        assert parts[:2] == ("bucket", "models")
        text = unquote(text)


@given(st.text(max_size=30))
def test_any_name_is_plain_or_not(name):
    """And a plain one is one step down from where it stands."""
    if is_plain(name):
        assert (PurePosixPath("/root") / name).parent == PurePosixPath("/root")
        assert ".." not in PurePosixPath(unquote(name)).parts


@given(
    st.lists(
        st.from_regex(r"[a-z3]{1,3}://[a-z.@:/?#%\\, A-Z0-9\x00-]{0,20}", fullmatch=True)
        | st.just("https://h/m") | st.text(max_size=20),
        max_size=3,
    ).map(",".join)
)  # fmt: skip
def test_a_setting_that_is_accepted_can_be_taken_apart(text):
    """The rule of the flag and this file agree."""
    try:
        settings.read("--sources", "sources", text, str)
    except InvalidSettings:
        return
    Allowed(text)


def test_places():
    """They go down and up."""
    place = address("s3://b/m/net/1/")
    assert (str(place), str(place.parent), place.leaf) == ("s3://b/m/net/1", "s3://b/m/net", "1")
    assert (str(place.below("a", "b")), address("s3://b").leaf) == ("s3://b/m/net/1/a/b", "b")
