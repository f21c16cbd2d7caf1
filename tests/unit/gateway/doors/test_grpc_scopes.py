"""Scopes of gRPC methods."""

from __future__ import annotations

from typing import Any

import pytest

from scurry.gateway.doors.grpc import METHODS
from scurry.gateway.doors.grpc_scopes import scope_of
from scurry.protocols import oip_pb2

ADMIN = {
    "RepositoryModelLoad", "RepositoryModelUnload", "SystemSharedMemoryRegister", "SystemSharedMemoryUnregister",
    "CudaSharedMemoryRegister", "CudaSharedMemoryUnregister",
}  # fmt: skip


@pytest.mark.parametrize("method", METHODS)
def test_what_changes_something_is_the_administrators(method: str) -> None:
    """Probes are nobody's; all else reads."""
    asked: Any = getattr(oip_pb2, f"{method}Request")()
    wanted = "admin" if method in ADMIN else "" if method in {"ServerLive", "ServerReady"} else "read"
    assert scope_of(method, asked).scope == wanted


def test_the_model_is_the_messages() -> None:
    """All of them, where none is named; settings that are set need more than those that are read."""
    assert scope_of("ModelConfig", oip_pb2.ModelConfigRequest(name="m")) == ("read", "m")
    assert scope_of("ModelStatistics", oip_pb2.ModelStatisticsRequest()) == ("read", "*")
    assert scope_of("RepositoryModelLoad", oip_pb2.RepositoryModelLoadRequest(model_name="m")) == ("admin", "m")
    setting: Any = oip_pb2.TraceSettingRequest(model_name="m")
    setting.settings["trace_level"].value.append("OFF")
    assert scope_of("TraceSetting", setting) == ("admin", "m")
    assert scope_of("Unheard", oip_pb2.ServerLiveRequest()) == ("admin", "*")
