"""Work that is awaited, and large JSON."""

from __future__ import annotations

import asyncio
import threading

import orjson
import pytest

from scurry.gateway.doors.background import AT_ONCE, Background
from scurry.gateway.doors.replies import HttpReply, json_reply
from scurry.gateway.limits import Admission
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError

HERE = threading.get_ident


async def test_an_answer_a_failure_and_nothing() -> None:
    """`done` gets the response or the refusal; for None it is not called."""

    async def work(outcome: HttpReply | Exception | None) -> HttpReply | None:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    background, got = Background(), list[HttpReply]()
    for outcome in (json_reply(1), NotFound("model_not_found", "No."), ValueError("secret"), None):
        background.answer(work(outcome), got.append)
    assert repr(background) == "<Background 4 tasks>"
    await asyncio.gather(*background._tasks)
    assert [reply.status for reply in got] == [200, 404, 500]
    assert b"secret" not in got[2].parts[0]


@pytest.mark.parametrize("size", [AT_ONCE, AT_ONCE + 1])
async def test_large_json_is_read_and_written_in_a_thread(size: int) -> None:
    """With memory taken while it is read; what is small is not worth it."""
    background, admission = Background(), Admission(1 << 30)
    seen: list[tuple[int, str]] = []

    def work() -> int:
        seen.append((HERE(), repr(admission)))
        return 7

    with admission.room() as room:
        assert await background.parse(b"[" * size, size, room, work) == 7
        assert repr(admission).startswith("<Admission 0 of")
        assert await background.write(size, work) == 7
    large = size > AT_ONCE
    assert [thread != HERE() for thread, _ in seen] == [large, large]
    assert ("Admission 0 of" not in seen[0][1]) == large


async def test_memory_is_given_back_whatever_happens() -> None:
    """Also of what cannot be read; and what there is no memory for is not begun."""
    background, admission = Background(), Admission(64 * AT_ONCE)

    def fails() -> int:
        raise InvalidRequest("bad_request", "No JSON.")

    body = b" " * (AT_ONCE + 1)
    with admission.room() as room:
        with pytest.raises(InvalidRequest, match="No JSON"):
            await background.parse(body, len(body), room, fails)
        assert repr(room) == "<Room of 0 bytes>"
        room.take(63 * AT_ONCE)
        with pytest.raises(ScurryError, match="in flight"):
            await background.parse(body, len(body), room, lambda: orjson.loads(body))
