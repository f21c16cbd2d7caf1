"""Lines of a file of API keys."""

from __future__ import annotations

import hashlib
import re

import pytest

from scurry.gateway.keys import InvalidKeys, Key, digest_of, new_key, read_keys

CLEAR = "a-key-written-in-clear"
DIGEST = hashlib.sha256(CLEAR.encode()).hexdigest()


def test_a_key_is_kept_as_its_digest() -> None:
    """In clear or as a digest, it is the same key; what nobody writes has no limit."""
    (clear,) = read_keys(f"ci {CLEAR} infer").values()
    (digest,) = read_keys(f"\n# all of them\n ci  sha256:{DIGEST}\tinfer # for the build\n").values()
    assert clear == digest == Key("ci", digest_of(CLEAR), frozenset({"infer"}))
    assert CLEAR not in repr(clear)
    assert clear.covers("any-model")
    assert clear.expires == float("inf")


def test_every_option_is_read() -> None:
    """Several keys may have one name: so one is replaced."""
    line = f"ci sha256:{DIGEST} infer,read models=digits*,iris tenant=blue expires=2027-01-31 max_in_flight=8"
    first, second = read_keys(f"{line}\nci another-key-in-clear admin expires=2027-01-31T01:00:00+01:00").values()
    assert first.scopes == {"infer", "read"}
    assert [model for model in ("digits", "digits-2", "iris", "iris-2", "*") if first.covers(model)] == [
        "digits", "digits-2", "iris",
    ]  # fmt: skip
    assert (first.tenant, first.max_in_flight) == ("blue", 8)
    assert first.expires == second.expires == 1801353600.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ci", "Line 1: a line has at least"),
        (f"\nc/i {CLEAR} infer", "Line 2: 'c/i' cannot be a name"),
        ("ci short infer", "at least 16"),
        ("ci schlüssel-von-mir-selbst infer", "ASCII"),
        ("ci sha256:abc infer", "64 digits"),
        (f"ci {CLEAR} infer,write", "'write' is no scope"),
        (f"ci {CLEAR} infer,", "'' is no scope"),
        (f"ci {CLEAR} infer models=a/b", "no pattern"),
        (f"ci {CLEAR} infer models=[*]", "no pattern"),
        (f"ci {CLEAR} infer tenant=a/b", "cannot be a tenant"),
        (f"ci {CLEAR} infer expires=tomorrow", "no date"),
        (f"ci {CLEAR} infer max_in_flight=-1", "no whole number"),
        (f"ci {CLEAR} infer color=red", "'color' is no option"),
        (f"ci {CLEAR} infer\nci2 sha256:{DIGEST} admin", "Line 2: this key stands in the file already, as 'ci'"),
    ],
)
def test_a_line_that_is_wrong_is_told(text: str, said: str) -> None:
    """With its number, and never with the key."""
    with pytest.raises(InvalidKeys, match=re.escape(said)) as told:
        read_keys(text)
    assert CLEAR not in str(told.value)


def test_a_new_key_is_another_each_time_and_its_line_is_read() -> None:
    """What is not given is not in it."""
    key, line = new_key("ci", "infer,read", {"models": "digits*", "tenant": "", "expires": "2027-01-31"})
    assert key != new_key("ci", "infer", {})[0]
    assert key not in line
    assert "tenant" not in line
    (read,) = read_keys(line).values()
    assert (read.digest, read.models) == (digest_of(key), ("digits*",))


@pytest.mark.parametrize(
    ("name", "scopes", "more"),
    [("c i", "infer", {}), ("ci", "infer#", {}), ("ci", "all", {}), ("ci", "infer", {"models": "a b"}),
     ("", "infer", {})],
)  # fmt: skip
def test_a_key_that_could_not_be_read_is_not_made(name: str, scopes: str, more: dict[str, str]) -> None:
    """The line would break the file."""
    with pytest.raises(InvalidKeys):
        new_key(name, scopes, more)
