"""What guards the doors, as settings want it."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from tests.certificates import Authority

from scurry.rules import InvalidSettings
from scurry.serving import guards
from scurry.serving.guards import SPARE_FILES, Guards, room_for
from scurry.settings import GatewaySettings


def test_without_settings_nothing_is_guarded() -> None:
    """As it always was."""
    made = Guards.of(GatewaySettings())
    assert (made.access.is_asked, made.tls, made.cors, made.rereadings()) == (False, None, None, [])


def test_what_is_set_is_read_and_read_again(tmp_path: Path) -> None:
    """Keys and certificates are looked at for changes."""
    (tmp_path / "keys").write_text("ci key-of-the-build-machine infer")
    cert, key = Authority(tmp_path).sign("server")
    made = Guards.of(
        GatewaySettings(api_keys=str(tmp_path / "keys"), tls_cert=cert, tls_key=key, cors_origins="https://a, https://b")
    )
    assert made.access.is_asked
    assert made.tls is not None
    assert repr(made.cors) == "<Cors for https://a, https://b>"
    keys, certificates = made.rereadings()
    assert not keys.look()
    (tmp_path / "keys").write_text("")
    Authority(tmp_path).sign("another", into="server")
    assert keys.look()
    assert certificates.look()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"api_keys": "no-such-file"}, "--api-keys no-such-file: no-such-file: No such file"),
        ({"tls_cert": "no-such-file"}, "needs both"),
        ({"tls_cert": "no.crt", "tls_key": "no.key"}, "--tls-cert, --tls-key, --tls-client-ca: "),
    ],
)
def test_what_cannot_be_used_is_one_sentence(settings: dict[str, str], said: str) -> None:
    """With the flag, before anything listens."""
    with pytest.raises(InvalidSettings, match=said):
        Guards.of(GatewaySettings(**settings))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("files", "wanted", "room", "raised_to"),
    [
        ((1024, 8192), 4000, 4000, 8192),
        ((1024, 8192), 16384, 8192 - SPARE_FILES, 8192),
        ((1024, resource.RLIM_INFINITY), 16384, 16384, 16384 + SPARE_FILES),
        ((8192, 8192), 0, 8192 - SPARE_FILES, None),
        ((65536, 65536), 16384, 16384, None),
    ],
)
def test_there_are_no_more_connections_than_files(
    monkeypatch: pytest.MonkeyPatch, files: tuple[int, int], wanted: int, room: int, raised_to: int | None
) -> None:
    """As many files as the system allows are asked for."""
    asked = []
    monkeypatch.setattr(guards.resource, "getrlimit", lambda _: files)
    monkeypatch.setattr(guards.resource, "setrlimit", lambda _, limits: asked.append(limits))
    assert room_for(wanted) == room
    assert asked == ([(raised_to, files[1])] if raised_to else [])
