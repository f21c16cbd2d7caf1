"""A connection that takes coalesced calls, fed by hand."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.endpoint.fakes import Host, Other, Transport

from scurry.endpoint import frames
from scurry.endpoint.connection import AHEAD, MAX_HEAD, Connection

HEAD = b"POST /calls HTTP/1.1\r\nContent-Length: %d\r\n\r\n"


def connect() -> tuple[Connection, Transport, Host]:
    """A connection that has just been made."""
    host, transport = Host(), Transport()
    connection = Connection(host, Other)
    connection.connection_made(transport)
    return connection, transport, host


async def turn() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_requests_are_answered_one_after_the_other() -> None:
    """However they are cut on their way."""
    connection, transport, host = connect()
    for byte in HEAD % 3 + b"abc" + HEAD % 0:
        connection.data_received(bytes([byte]))
    await turn()
    assert host.bodies == [b"abc", b""]
    assert transport.written.count(b"200 OK") == 2
    assert repr(connection) == "<Connection idle, 0 bytes unread>"


async def test_who_sends_ahead_is_not_read_until_there_is_room() -> None:
    """What waits behind an exchange is bounded."""
    connection, transport, host = connect()
    host.gate.clear()
    connection.data_received(HEAD % 1 + b"x")
    await turn()
    connection.data_received(HEAD % (AHEAD * 2))
    assert not transport.paused
    connection.data_received(bytes(AHEAD + 1))
    assert transport.paused
    host.gate.set()
    await turn()
    assert not transport.paused
    connection.data_received(bytes(AHEAD - 1))
    await turn()
    assert [len(body) for body in host.bodies] == [1, AHEAD * 2]


async def test_a_body_beyond_the_limit_is_refused_by_its_head() -> None:
    """Nothing of it is kept."""
    connection, transport, host = connect()
    connection.data_received(HEAD % (frames.MAX_BODY + 1))
    assert transport.written.startswith(b"HTTP/1.1 413 ")
    assert (transport.closed, host.bodies) == (True, [])


async def test_what_looks_otherwise_is_handed_over_with_all_that_came() -> None:
    """Another path, another way to say how long; the next owner begins at the beginning."""
    for start in (b"GET / HTTP/1.1\r\n\r\n", b"POST /calls HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", bytes(9)):
        connection, transport, _ = connect()
        connection.data_received(start)
        assert isinstance(transport.protocol, Other)
        assert transport.protocol.received == start


async def test_who_shows_no_certificate_where_one_is_asked_for_is_handed_over_at_once() -> None:
    """So that those who show one pay for nothing, and those who are not asked neither."""
    for asked, shown, is_ours in ((True, True, True), (True, False, False), (False, False, True)):
        host, transport = Host(), Transport({"subject": ()} if shown else None)
        connection = Connection(host, Other, asked=asked)
        connection.connection_made(transport)
        assert (transport.protocol is None, connection in host.connections) == (is_ours, is_ours)


PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([HEAD % 5, b"POST /calls HTTP/1.1\r\n", b"\r\n\r\n", b"Content-Length: 3\r\n", b"x" * 30_000]),
    st.binary(max_size=20).map(lambda body: HEAD % len(body) + body),
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_no_bytes_break_a_connection(pieces: list[bytes]) -> None:
    """It answers, waits within bounds, hands over or ends; it never raises, and loses nothing on the way."""

    async def feed() -> None:
        connection, transport, host = connect()
        for at, piece in enumerate(pieces):
            if transport.protocol is not None or transport.closed:
                break
            connection.data_received(piece)
            await turn()
            if transport.protocol is not None:
                taken = sum(len(HEAD % len(body)) + len(body) for body in host.bodies)
                came = b"".join(pieces[: at + 1])
                assert transport.protocol.received in came
                assert taken <= len(came)
        else:
            assert len(connection._received) <= MAX_HEAD + 30_000 * len(pieces)

    asyncio.run(feed())
