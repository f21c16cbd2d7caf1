"""Who may have shared memory, and who knows of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from scurry.gateway.server_state import ServerState
from scurry.serving import regions
from scurry.settings import GatewaySettings
from scurry.wire.errors import InvalidRequest


def may_register(state: ServerState) -> bool:
    """Whether callers may: an object that is not there is then what is wrong."""
    with pytest.raises(InvalidRequest) as refused:
        state.memory.register("r", "/scurry-nobody-has-this", 0, 1)
    return refused.value.code == "bad_request"


@pytest.mark.parametrize(
    ("host", "allowed", "may"), [("127.0.0.1", False, True), ("0.0.0.0", False, False), ("0.0.0.0", True, True)]
)
def test_only_this_machine_may_until_a_setting_says_otherwise(host: str, allowed: bool, may: bool) -> None:
    """Whoever listens for others must say so."""
    settings = GatewaySettings(host=host, client_shared_memory=allowed, server_name="triton", server_version="2")
    state = regions.state_of(settings)
    assert may_register(state) == may
    assert state.server == ("triton", "2")


def test_gateways_at_one_port_know_of_each_others_regions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And those at another do not."""
    monkeypatch.setattr(regions, "SHM", tmp_path)
    first, second, other = (
        regions.state_of(GatewaySettings(http_port=port, reuse_port=True)) for port in (8000, 8000, 8005)
    )
    monkeypatch.setattr(first.memory, "_folder", tmp_path)
    (tmp_path / "k").write_bytes(b"abc")
    first.memory.register("r", "/k", 0, 3)
    assert [region["name"] for region in second.memory.status()] == ["r"]
    assert other.memory.status() == []


def test_without_such_a_folder_each_knows_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and callers are served."""
    monkeypatch.setattr(regions, "SHM", tmp_path / "missing")
    assert regions.state_of(GatewaySettings(http_port=8000, reuse_port=True)).memory.status() == []
