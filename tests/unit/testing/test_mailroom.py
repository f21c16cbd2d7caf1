"""The mailroom: one call in flight per address, state kept, delays, what is lost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from scurry.endpoint.call import Call, State
from scurry.testing.mailroom import Lost, Mail, Mailroom

COUNTER = "test/counter"


class Counter:
    """Counts its messages; `later` is sent again after a second, `never` is not answered."""

    typename = COUNTER
    state: State | None = State("count", "test/int")

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Count, and tell the egress how many there were."""
        assert self.state is not None
        for call in calls:
            words = [message.typename for message in call.messages]
            if "never" in words:
                continue
            count = int(call.state or b"0") + len(words)
            call.keep(self.state, str(count).encode() if "forget" not in words else None)
            for word in words:
                if word == "later":
                    call.send_after(1000, COUNTER, call.key, "again", b"", token="t")
                if word == "cancel":
                    call.cancel("t")
            call.egress("test/out", call.key, str(count).encode())
            done(call)


class Desk:
    """A mailroom with a counter, and what left it."""

    def __init__(self) -> None:
        self.out: list[tuple[str, bytes]] = []
        self.lost: list[Lost] = []
        self.room = Mailroom([Counter()], lambda key, value: self.out.append((key, value)), self.lost.append, 0)

    async def post(self, key: str, *words: str) -> None:
        """Send messages together and let the job run."""
        for word in words:
            self.room.post(Mail((COUNTER, key), word, b""))
        await self.room.run()


async def test_messages_that_wait_are_one_batch_and_state_is_kept_per_key() -> None:
    """Two at once are one call; another key counts by itself."""
    desk = Desk()
    await desk.post("a", "x", "x")
    await desk.post("a", "x")
    await desk.post("b", "x")
    assert desk.out == [("a", b"2"), ("a", b"3"), ("b", b"1")]
    await desk.post("a", "forget")
    assert desk.room.states == {(COUNTER, "b"): b"1"}


async def test_a_delayed_message_waits_for_its_time() -> None:
    """Time stands still until it is advanced; what is due arrives at its own time."""
    desk = Desk()
    await desk.post("a", "later")
    await desk.room.advance(999)
    assert (len(desk.out), desk.room.waiting) == (1, 1)
    await desk.room.advance(1)
    assert (len(desk.out), desk.room.waiting, desk.room.now_ms) == (2, 0, 1000)


async def test_a_delayed_message_can_be_unsent() -> None:
    """By its token."""
    desk = Desk()
    await desk.post("a", "later")
    await desk.post("a", "cancel")
    assert desk.room.waiting == 0


async def test_a_call_that_is_not_answered_is_handed_over_as_lost() -> None:
    """With its messages; its state stays, and the address takes the next call."""
    desk = Desk()
    await desk.post("a", "x")
    await desk.post("a", "never", "x")
    (lost,) = desk.lost
    assert (lost.address, [mail.typename for mail in lost.batch], lost.alone) == (
        (COUNTER, "a"), ["never", "x"], True,
    )  # fmt: skip
    await desk.post("a", "x")
    assert desk.out[-1] == ("a", b"2")


async def test_mail_for_nobody_is_refused() -> None:
    """The sentence names the function."""
    with pytest.raises(LookupError, match="test/nobody"):
        Desk().room.post(Mail(("test/nobody", "a"), "x", b""))


async def test_repr_tells_what_waits() -> None:
    """Mail and delayed messages."""
    desk = Desk()
    await desk.post("a", "later")
    desk.room.post(Mail((COUNTER, "a"), "x", b""))
    assert repr(desk.room) == "<Mailroom test/counter: 1 in the mail, 1 delayed>"
