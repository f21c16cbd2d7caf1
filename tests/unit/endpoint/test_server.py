"""Calls in a body, each answered whatever its neighbours are."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scurry.endpoint import frames
from scurry.endpoint.call import Call, State
from scurry.endpoint.reqreply_pb2 import ToFunction
from scurry.endpoint.server import Endpoint


class Echo:
    """Answers every call."""

    typename = "example/echo"
    state: State | None = None

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        for call in calls:
            done(call)


def good() -> bytes:
    """A call that Echo answers."""
    made = ToFunction()
    made.invocation.target.namespace, made.invocation.target.type, made.invocation.target.id = "example", "echo", "k"
    return made.SerializeToString()


async def answers(body: bytes) -> list[tuple[int, int, bytes]]:
    """The frames of one exchange."""
    pieces: list[tuple[bytes, bool]] = []
    await Endpoint([Echo()], lambda: True).exchange(body, lambda *piece: pieces.append(piece))
    assert [last for _, last in pieces].count(True) == 1
    return frames.read(b"".join(data for data, _ in pieces))


@settings(deadline=None)
@given(st.lists(st.one_of(st.binary(max_size=60), st.builds(good)), max_size=8))
def test_every_call_is_answered_whatever_its_neighbours_hold(calls: list[bytes]) -> None:
    """Random bytes, messages for nobody, and good calls: one frame for each, and the good ones are served."""
    logging.disable()
    try:
        found = asyncio.run(answers(frames.join(calls)))
    finally:
        logging.disable(logging.NOTSET)
    kinds = {index: kind for index, kind, _ in found}
    assert sorted(kinds) == list(range(len(calls)))
    assert all(kinds[at] == frames.ANSWER for at, call in enumerate(calls) if call == good())


async def test_a_body_that_is_no_frames_is_refused_before_anything_is_sent() -> None:
    """Whoever sent it hears so by the status."""
    with pytest.raises(frames.BadFrames):
        await answers(b"\0\0\1")


async def test_who_is_about_to_leave_takes_no_calls() -> None:
    """Each is refused unread, and the process is not ready any more."""
    endpoint = Endpoint([Echo()], lambda: True)
    assert await endpoint.drain(1)
    pieces: list[bytes] = []
    await endpoint.exchange(frames.join([good(), b"?"]), lambda data, _: pieces.append(data))
    assert [each[:2] for each in frames.read(b"".join(pieces))] == [(0, frames.DRAINING), (1, frames.DRAINING)]
    assert (endpoint.ready, repr(endpoint)) == (False, "<Endpoint example/echo: draining, 0 exchanges open>")
