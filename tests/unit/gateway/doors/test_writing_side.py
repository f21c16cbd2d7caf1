"""Events over one connection, between whole responses."""

from __future__ import annotations

from typing import Any

import pytest
from tests.unit.gateway.doors.test_event_stream import Events
from tests.unit.gateway.doors.test_http_connection import Door, connected, request

from scurry.gateway.doors import patience
from scurry.gateway.doors.event_stream import EventReply, Outlet
from scurry.gateway.doors.heads import Head
from scurry.gateway.limits import Room


class Going(Events):
    """Events that go on until they are told to end."""

    def open(self, outlet: Outlet) -> None:
        self.outlet = outlet
        super().open(outlet)


class EventDoor(Door):
    """Answers /events with events, everything else as before."""

    def __init__(self) -> None:
        super().__init__()
        self.events = Going()

    def begin(self, head: Head, body: bytes, room: Room, done: Any) -> None:
        if head.target == "/events":
            done(EventReply(self.events))
        else:
            super().begin(head, body, room, done)


def streaming(*headers: str, method: str = "GET") -> tuple[Any, Any, Any]:
    """A connection on which events have begun."""
    host, connection, transport = connected()
    host.door = connection.door = EventDoor()
    connection.data_received(request("/events", b"", *headers, method=method))
    return host, connection, transport


async def test_events_go_on_until_they_end() -> None:
    """The next request on the connection is answered after them; the room is free meanwhile."""
    host, connection, transport = streaming()
    assert transport.written.endswith(b"\r\n\r\n9\r\ndata: 1\n\n\r\n")
    assert b"Content-Length" not in transport.written
    assert "0 of" in repr(host.admission)
    connection.data_received(request("/next"))
    assert host.door.asked == []
    host.door.events.outlet.end()
    assert host.door.events.told == ["open", "close"]
    assert b"0\r\n\r\nHTTP/1.1 200 OK\r\n" in transport.written
    assert [target for target, _ in host.door.asked] == ["/next"]
    assert not transport.closed


async def test_a_caller_that_goes_frees_them() -> None:
    """The source is told, once."""
    host, connection, _ = streaming()
    connection.connection_lost(None)
    connection.connection_lost(None)
    assert host.door.events.told == ["open", "close"]


async def test_a_caller_that_does_not_read_is_parted_with(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is sent to it meanwhile; one that reads again goes on."""
    host, connection, transport = streaming()
    connection.pause_writing()
    assert host.door.events.outlet.is_full
    connection.resume_writing()
    assert host.door.events.told == ["open", "resume"]
    assert not host.door.events.outlet.is_full
    connection.pause_writing()
    connection.give_up_late(connection._since + patience.SEND_S - 1)
    assert not transport.closed
    connection.give_up_late(connection._since + patience.SEND_S + 1)
    assert transport.aborted


async def test_a_caller_that_only_listens_is_not_late() -> None:
    """However long nothing comes."""
    _, connection, transport = streaming()
    connection.give_up_late(connection._since + 100_000)
    assert not transport.closed


@pytest.mark.parametrize(("headers", "closes"), [((), False), (("Connection: close",), True)])
async def test_the_head_alone(headers: tuple[str, ...], closes: bool) -> None:
    """HEAD opens no stream."""
    host, _, transport = streaming(*headers, method="HEAD")
    assert host.door.events.told == ["close"]
    assert transport.closed is closes


async def test_a_gateway_that_goes_ends_them() -> None:
    """In due form, and hangs up; those that would begin then do not."""
    host, connection, transport = streaming()
    connection.leave()
    assert transport.written.endswith(b"0\r\n\r\n")
    assert host.door.events.told == ["open", "close"]
    assert transport.closed
    host, connection, transport = connected()
    host.door = connection.door = EventDoor()
    connection.data_received(request("/later"))
    connection.leave()
    connection._reply(EventReply(host.door.events))
    assert host.door.events.told[-1] == "close"
    assert transport.closed
