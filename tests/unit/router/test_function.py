"""The function scurry/router: what it makes of its mail."""

from __future__ import annotations

import logging

import pytest
from tests.unit.router.asking import many, requests, route, routed, serve

from scurry.endpoint.call import Call, Message
from scurry.router.function import Router
from scurry.wire.messages_pb2 import (
    Done,
    Reply,
)
from scurry.wire.names import ROUTER


async def test_messages_of_one_call_become_one_message() -> None:
    """What piled up leaves together, and reports that came with it count first."""
    state = (await serve(await routed(route("1")), many(32))).state
    out = await serve(state, requests("a"), Done(version="1", lane=0, sequence=32), requests("b"))
    assert out.lanes == [("m@1/0", ["a", "b"], 34, False)]


async def test_a_user_functions_reply_from_elsewhere_is_passed_on() -> None:
    """A user function may let another function answer; a reply that names no request is dropped."""
    state = await routed(route("1", function="example/upper"))
    elsewhere = Message("scurry.v1/Reply", Reply(id="a", version="1").SerializeToString(), ("example/b", "k"))
    nameless = Message("scurry.v1/Reply", b"")
    out = await serve(state, elsewhere, nameless)
    assert [(reply.id, reply.version) for reply in out.replies] == [("a", "1")]


async def test_what_cannot_be_read_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    """It would never get readable: it is logged, and the rest of the batch is served."""
    state = await routed(route("1"))
    broken = [Message(f"scurry.v1/{name}", b"\xff") for name in ("Requests", "Done", "Bounced", "Routes", "Reply")]
    with caplog.at_level(logging.WARNING):
        out = await serve(state, *broken[1:], Message("other/Thing", b""), requests("a"))
        assert [ids for _, ids, _, _ in out.lanes] == [["a"]]
        out = await serve(state, broken[0])
        assert out.sent == []
    assert len(caplog.records) == 6


async def test_reports_of_versions_that_are_gone_change_nothing() -> None:
    """Late mail leaves the state alone."""
    out = await serve(await routed(route("1")), Done(version="9", lane=0, sequence=1))
    assert not out.kept


async def test_one_broken_call_does_not_fail_the_others() -> None:
    """A state that cannot be read fails its own call only."""
    good, bad = Call(ROUTER, "a", [], None), Call(ROUTER, "b", [], b"\xff")
    finished: list[Call] = []
    with pytest.raises(Exception, match="parsing"):
        await Router().serve([bad, good], finished.append)
    assert finished == [good]
    with pytest.raises(ExceptionGroup):
        await Router().serve([bad, bad], finished.append)
    assert repr(Router()) == "<Router <Tables of 0 models>>"
