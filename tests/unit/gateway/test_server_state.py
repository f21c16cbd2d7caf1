"""What is a gateway process' own."""

from __future__ import annotations

import pytest

from scurry.gateway.server_state import ServerState
from scurry.wire.errors import InvalidRequest


def test_a_private_gateway_shares_no_memory() -> None:
    """It is called by our name."""
    state = ServerState.private()
    assert state.server.name == "scurry"
    with pytest.raises(InvalidRequest, match="SCURRY_CLIENT_SHARED_MEMORY"):
        state.memory.register("r", "/k", 0, 1)
