"""Secrets that stand in files."""

from __future__ import annotations

from pathlib import Path

import pytest

from scurry.rules import InvalidSettings
from scurry.secret_files import with_files
from scurry.settings import GatewaySettings, client_options, load


def test_a_file_stands_in_for_a_variable(tmp_path: Path) -> None:
    """White space around it, such as the end of its line, is not part of it."""
    (tmp_path / "url").write_text("redis://:s3@r:1/0\n")
    (tmp_path / "key").write_text("k3y")
    environ = {"SCURRY_REDIS_URL_FILE": str(tmp_path / "url"), "SCURRY_ADMIN_KEY_FILE": str(tmp_path / "key")}
    settings = load(GatewaySettings, None, environ)
    assert (settings.redis_url, settings.admin_key) == ("redis://:s3@r:1/0", "k3y")
    assert client_options(environ, {})["url"] == "redis://:s3@r:1/0"


def test_the_variable_itself_wins(tmp_path: Path) -> None:
    """Then the file is not even looked at."""
    environ = {"SCURRY_REDIS_URL": "redis://r", "SCURRY_REDIS_URL_FILE": str(tmp_path / "none")}
    assert with_files(environ) == environ


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, content: bytes | None) -> None:
    """With the variable and the file, and without what is in it."""
    path = tmp_path / "url"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidSettings, match=f"SCURRY_REDIS_URL_FILE names {path}, which cannot be read"):
        load(GatewaySettings, None, {"SCURRY_REDIS_URL_FILE": str(path)})


def test_an_address_in_a_file_is_held_to_the_rule(tmp_path: Path) -> None:
    """As if it had been said in the variable."""
    (tmp_path / "url").write_text("http://r")
    with pytest.raises(InvalidSettings, match="SCURRY_REDIS_URL takes"):
        load(GatewaySettings, None, {"SCURRY_REDIS_URL_FILE": str(tmp_path / "url")})
