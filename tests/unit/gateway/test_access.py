"""Who calls, and what he may."""

from __future__ import annotations

from pathlib import Path

import pytest
from multidict import CIMultiDict

from scurry.gateway.access import ANYBODY, REMEMBERED, Access
from scurry.gateway.keys import InvalidKeys
from scurry.wire.errors import ScurryError

KEY, OPS, OLD = "key-of-the-build-machine", "key-of-the-operators", "key-of-last-year"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Three keys."""
    path = tmp_path / "keys"
    path.write_text(
        f"ci {KEY} infer,read models=digits* tenant=blue max_in_flight=2\nops {OPS} admin\n"
        f"old {OLD} infer expires=2020-01-01\n"
    )
    return path


def code(access: Access, headers: dict[str, str], scope: str, model: str = "") -> str:
    """The error's code; empty for who is let in."""
    try:
        access.check(headers, scope, model)
    except ScurryError as cause:
        assert not any(key in cause.message for key in (KEY, OPS, OLD))
        return cause.code
    return ""


def bearer(key: str) -> dict[str, str]:
    """As most clients show a key."""
    return {"authorization": f"Bearer {key}"}


def test_without_a_file_everybody_is_anybody() -> None:
    """Whatever is shown."""
    access = Access()
    assert not access.is_asked
    assert access.check({}, "admin", "m") is access.check(bearer("x"), "infer") is ANYBODY
    access.reread()


@pytest.mark.parametrize(
    ("headers", "scope", "model", "expected"),
    [
        (bearer(KEY), "infer", "digits-2", ""),
        (bearer(KEY), "read", "", ""),
        ({"authorization": f"bearer  {KEY} "}, "infer", "digits", ""),
        ({"x-api-key": KEY}, "infer", "digits", ""),
        ({"authorization": "Basic abc", "x-api-key": KEY}, "infer", "digits", ""),
        (bearer(KEY), "infer", "iris", "not_allowed"),
        (bearer(KEY), "read", "*", "not_allowed"),
        (bearer(KEY), "admin", "digits", "not_allowed"),
        (bearer(OPS), "admin", "*", ""),
        (bearer(OPS), "infer", "digits", "not_allowed"),
        (bearer(OLD), "infer", "digits", "not_authenticated"),
        (bearer(KEY + "x"), "infer", "digits", "not_authenticated"),
        (bearer(KEY[:-1]), "infer", "digits", "not_authenticated"),
        (bearer("k\udcffé"), "infer", "digits", "not_authenticated"),
        (bearer(""), "infer", "digits", "not_authenticated"),
        ({"authorization": KEY}, "infer", "digits", "not_authenticated"),
        ({}, "infer", "digits", "not_authenticated"),
    ],
)  # fmt: skip
def test_a_key_opens_what_it_is_for(
    file: Path, headers: dict[str, str], scope: str, model: str, expected: str
) -> None:
    """Twice, since what was shown is remembered."""
    access = Access(str(file))
    assert [code(access, headers, scope, model) for _ in range(2)] == [expected] * 2


def test_the_caller_is_told(file: Path) -> None:
    """His name, tenant and rights; of HTTP's headers and of gRPC's metadata alike."""
    access = Access(str(file))
    caller = access.check(CIMultiDict({"Authorization": f"Bearer {KEY}"}), "infer", "digits")
    assert caller == access.check(bearer(KEY), "read")
    assert (caller.name, caller.tenant, caller.scopes) == ("ci", "blue", {"infer", "read"})
    assert repr(access) == "<Access with 3 keys>"


def test_the_admin_key_goes_on_working(file: Path) -> None:
    """It changes the registry and reads; where it stands in the file, the file tells."""
    access = Access(str(file), admin_key="the-admin-key")
    assert [code(access, {"x-admin-key": "the-admin-key"}, scope, "*") for scope in ("admin", "read", "infer")] == [
        "", "", "not_allowed",
    ]  # fmt: skip
    told = Access(str(file), admin_key=OPS)
    assert told.check(bearer(OPS), "admin").name == "ops"


def test_a_changed_file_holds_at_once_and_a_broken_one_changes_nothing(file: Path) -> None:
    """A key that was taken out is not remembered."""
    access = Access(str(file))
    assert code(access, bearer(KEY), "infer", "digits") == ""
    before = access.generation
    file.write_text("ci short infer")
    with pytest.raises(InvalidKeys):
        access.reread()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidKeys):
        access.reread()
    file.unlink()
    with pytest.raises(OSError):
        access.reread()
    assert code(access, bearer(KEY), "infer", "digits") == ""
    assert access.generation == before
    file.write_text(f"ops {OPS} admin")
    access.reread()
    assert access.generation > before
    assert code(access, bearer(KEY), "infer", "digits") == "not_authenticated"


def test_a_key_has_so_many_requests_at_a_time(file: Path) -> None:
    """Then `rate_limited`, until one is answered."""
    access = Access(str(file))
    caller = access.check(bearer(KEY), "read")
    access.enter(caller)
    access.enter(caller)
    with pytest.raises(ScurryError, match="as many as its key allows") as refused:
        access.enter(caller)
    assert refused.value.code == "rate_limited"
    access.leave(caller)
    access.enter(caller)


def test_guesses_fill_nothing(file: Path) -> None:
    """Only right keys are remembered."""
    access = Access(str(file))
    for number in range(10):
        assert code(access, bearer(f"guess-{number}"), "infer") == "not_authenticated"
    assert access._table.shown == {}
    assert REMEMBERED > 0
