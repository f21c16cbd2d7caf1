"""Where every gRPC call comes in, and which door it is shown to.

Each door has a service. Who calls is asked behind them: of most calls only the message tells which model they concern.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from scurry.gateway.doors.grpc import SERVICE
from scurry.gateway.doors.grpc_call import GrpcCall, GrpcDoor, GrpcStream
from scurry.wire.errors import InvalidRequest

OTHERWISE: Final = "grpc"
"""What the door of the Open Inference Protocol is called in metrics; calls of no service at all count there too."""


class GrpcEntrance:
    """Shows each call to its door; itself a door, the only one that connections know."""

    def __init__(self, doors: Mapping[str, GrpcDoor]) -> None:
        """`doors` by their services, as these stand in a path: `/inference.GRPCInferenceService/`."""
        self._doors = dict(doors)
        self._names = {service: service.rstrip("/") for service in doors} | {SERVICE: OTHERWISE}

    def begin(self, call: GrpcCall, message: bytes) -> None:
        """Answer a call with one message. Never raises."""
        door = self._doors.get(call.head.service)
        if door is not None:
            door.begin(call, message)
            return
        here = ", ".join(service.strip("/") for service in self._doors)
        sentence = f"There is no method {call.head.path[:128]!r}: this port has {here}."
        call.refuse(InvalidRequest("not_offered", sentence))

    def stream(self, call: GrpcCall) -> GrpcStream | None:
        """Who takes the messages of this call; None for a call with one."""
        door = self._doors.get(call.head.service)
        return None if door is None else door.stream(call)

    def name_of(self, service: str) -> str:
        """The name of the door that calls of a service are shown to: how their paths begin, or `grpc`."""
        return self._names.get(service, OTHERWISE)

    def __repr__(self) -> str:
        return f"<GrpcEntrance to {', '.join(self._names.values())}>"
