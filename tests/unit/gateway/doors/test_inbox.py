"""Bytes cut into requests."""

from __future__ import annotations

import pytest

from scurry.gateway.doors.heads import Heads
from scurry.gateway.doors.inbox import Inbox, Unusual
from scurry.gateway.limits import COPIES, Admission

HEAD = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"


def inbox(admission: Admission | None = None) -> Inbox:
    """One that takes bodies of up to ten bytes."""
    return Inbox(Heads(), admission or Admission(10 * COPIES), 10)


async def test_a_request_is_taken_when_it_is_whole() -> None:
    """Its room is held from the head on."""
    admission = Admission(10 * COPIES)
    one = inbox(admission)
    assert (one.awaits, one.take()) == ("", None)
    one.put(HEAD[:-1])
    assert (one.take(), one.awaits) == (None, "head")
    one.put(HEAD[-1:] + b"12")
    assert (one.take(), one.awaits) == (None, "body")
    assert repr(admission) == f"<Admission {3 * COPIES} of {10 * COPIES} bytes taken>"
    one.put(b"3" + HEAD)
    taken = one.take()
    assert taken is not None
    assert (taken.head.target, taken.body, len(one)) == ("/a", b"123", len(HEAD))
    taken.room.give_back_all()
    assert (one.take(), repr(one)) == (None, "<Inbox 0 bytes, awaits body>")
    one.close()
    one.close()
    assert repr(admission).startswith("<Admission 0 of")


@pytest.mark.parametrize("data", [HEAD.replace(b"3", b"11"), HEAD.replace(b"1.1", b"1.0"), b"\x00"])
async def test_the_unusual_stays_for_aiohttp(data: bytes) -> None:
    """Every byte of it, as often as one asks."""
    one = inbox()
    one.put(data + b"rest")
    for _ in range(2):
        with pytest.raises(Unusual):
            one.take()
    assert one.take_all() == data + b"rest"


async def test_what_finds_no_room_is_unusual() -> None:
    """And takes none."""
    admission = Admission(10 * COPIES)
    one = inbox(admission)
    with admission.room() as room:
        room.take(8 * COPIES)
        one.put(HEAD)
        with pytest.raises(Unusual):
            one.take()
        assert repr(admission) == f"<Admission {8 * COPIES} of {10 * COPIES} bytes taken>"
