"""One exchange: which frames leave when."""

from __future__ import annotations

import asyncio

from scurry.endpoint import frames
from scurry.endpoint.call import Call
from scurry.endpoint.exchange import Exchange

Sent = list[tuple[list[tuple[int, int]], bool]]


def opened(count: int) -> tuple[Exchange, list[Call], Sent]:
    """An exchange of so many calls, and what it has sent."""
    sent: Sent = []
    exchange = Exchange(lambda data, last: sent.append(([each[:2] for each in frames.read(data)], last)))
    calls = [Call("f/g", str(at), []) for at in range(count)]
    for at, call in enumerate(calls):
        exchange.expect(call, at)
    return exchange, calls, sent


async def test_what_is_ready_in_one_turn_leaves_together() -> None:
    """And the last frame ends it, once."""
    exchange, calls, sent = opened(3)
    exchange.done(calls[2])
    assert sent == []
    exchange.seal()
    exchange.done(calls[0])
    exchange.done(calls[0])
    assert sent == [([(2, frames.ANSWER)], False)]
    await asyncio.sleep(0)
    exchange.fail(calls, "no")
    assert sent[1:] == [([(0, frames.ANSWER)], False), ([(1, frames.FAILED)], True)]
    assert repr(exchange) == "<Exchange 0 unanswered, 0 frames waiting>"


async def test_nothing_to_answer_ends_at_once() -> None:
    """An exchange without calls has an answer too."""
    exchange, _, sent = opened(0)
    exchange.seal()
    assert sent == [([], True)]


async def test_silence_is_broken_only_where_there_is_silence() -> None:
    """A beat follows a beat's time without a frame; an ended exchange is silent."""
    exchange, (call,), sent = opened(1)
    exchange.beat()
    exchange.seal()
    exchange.beat()
    exchange.beat()
    exchange.done(call)
    exchange.beat()
    assert [last for _, last in sent] == [False, False, True]
    assert sent[0][0] == [(frames.NO_CALL, frames.HEARTBEAT)]
