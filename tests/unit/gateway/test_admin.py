"""Who may change the registry."""

from __future__ import annotations

from typing import Any

import pytest
from multidict import CIMultiDict

from scurry.gateway.access import Caller
from scurry.gateway.admin import Admin, Shown, is_loopback, shown_by
from scurry.wire.errors import InvalidRequest

CHANGE = '{"rollback": {}}'


@pytest.mark.parametrize(
    ("key", "host", "given", "from_page", "code"),
    [
        ("k", "0.0.0.0", "k", False, ""),
        ("k", "127.0.0.1", "k", True, ""),
        ("k", "127.0.0.1", "", False, "not_authenticated"),
        ("k", "127.0.0.1", "K", False, "not_allowed"),
        ("k", "127.0.0.1", "k\udcff", False, "not_allowed"),
        ("", "127.0.0.1", "", False, ""),
        ("", "127.0.0.1", "anything", False, ""),
        ("", "127.0.0.1", "", True, "not_allowed"),
        ("", "0.0.0.0", "", False, "not_allowed"),
        ("", "0.0.0.0", "guess", False, "not_allowed"),
        ("", "scurry.example", "", False, "not_allowed"),
    ],
)
async def test_the_key_decides_and_without_one_the_place(  # noqa: PLR0917 - a table
    client: Any, key: str, host: str, given: str, from_page: bool, code: str
) -> None:
    """What is refused never reaches the registry."""
    admin = Admin(client, key=key, host=host)
    if not code:
        assert await admin.change("m", CHANGE, Shown(given, from_page))
        assert [(update.model, update.json) for update in client.updates] == [("m", CHANGE)]
        return
    with pytest.raises(InvalidRequest) as refused:
        await admin.change("m", CHANGE, Shown(given, from_page))
    assert refused.value.code == code
    assert client.updates == []


@pytest.mark.parametrize(
    ("host", "loopback"), [("127.0.0.1", True), ("127.8.8.8", True), ("::1", True), ("localhost", True),
                           ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("", False), ("my-host", False)]
)  # fmt: skip
def test_only_this_machine_reaches_a_loopback_address(host: str, loopback: bool) -> None:
    """Every interface is not one."""
    assert is_loopback(host) is loopback


def test_nobody_sees_the_key() -> None:
    """Not in a log either."""
    assert repr(Admin(None, key="secret", host="::")) == "<Admin with a key>"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "given", "scopes", "code"),
    [
        ("", "", {"admin"}, ""),
        ("", "", {"infer", "read"}, "not_allowed"),
        ("", "", set(), "not_allowed"),
        ("k", "", {"admin"}, ""),
        ("k", "k", set(), ""),
        ("k", "", {"infer"}, "not_authenticated"),
    ],
)
async def test_with_api_keys_it_is_the_scope_that_counts(
    client: Any, key: str, given: str, scopes: set[str], code: str
) -> None:
    """Being on this machine is not enough any more; a door that tells no caller opens nothing."""
    admin = Admin(client, key=key, host="127.0.0.1", asks_keys=True)
    caller = Caller("ci", scopes=frozenset(scopes))
    if not code:
        assert await admin.change("m", CHANGE, Shown(given, from_page=True, caller=caller))
        return
    with pytest.raises(InvalidRequest) as refused:
        await admin.change("m", CHANGE, Shown(given, caller=caller))
    assert refused.value.code == code
    assert client.updates == []


@pytest.mark.parametrize(
    ("headers", "access"),
    [
        ({"Authorization": "Bearer  k "}, ("k", False)), ({"X-Admin-Key": "k"}, ("k", False)),
        ({"Authorization": "Basic k", "X-Admin-Key": "l", "Origin": "null"}, ("l", True)), ({}, ("", False)),
    ],
)  # fmt: skip
def test_the_key_comes_in_either_header(headers: dict[str, str], access: tuple[str, bool]) -> None:
    """The first of them counts."""
    assert shown_by(CIMultiDict(headers), Caller("ci")) == (*access, Caller("ci"))
