"""The one door to Redis: requests out in piles, replies in by one loop."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, Final

from scurry.client.bodies import Parked
from scurry.client.replies import Replies
from scurry.client.sharing import Sharing
from scurry.client.waiting import Fields, Waiting
from scurry.redis.address import Address
from scurry.redis.connection import Command, pack, pack_set
from scurry.redis.link import Link
from scurry.wire.errors import Unavailable
from scurry.wire.names import Keys

PARKED_S: Final = 24 * 3600
PARTITIONS_S: Final = 5.0


class Streams:
    """Requests of this client and the replies to them.

    After a lost connection, what Redis has not confirmed and somebody still waits for is sent again: the job answers a
    repeated id once.
    """

    def __init__(self, url: str, keys: Keys, name: str, random: str = "") -> None:
        """Of client `name`, whose own ids have that random part."""
        self.address = Address.parse(url)
        self.keys = keys
        self.partitions = 1
        self._loop = asyncio.get_running_loop()
        self._link = Link(self.address)
        self._waiting = Waiting(self._loop, self._overdue)
        self._replies = Replies(self.address, keys.replies(name), self._waiting)
        self._sharing = Sharing(self._link, keys, random)
        self._closed = False

    async def open(self) -> None:
        """Connect. Raises `Unavailable` when there is no Redis."""
        try:
            await self._link.open()
            self._ask_partitions()
            self._sharing.ask()
            await self._replies.open()
            await self.command("PING")  # after the answers to both have come
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Fail who waits, remove the reply stream, close the connections."""
        if self._closed:
            return
        self._closed = True
        self._waiting.fail(lambda id_: Unavailable("unavailable", f"The client was closed before {id_} was answered."))
        self._sharing.close()
        await self._replies.close()
        await self._link.close(Command(pack("UNLINK", self._replies.stream)))

    def tell_entries(self, wanted: bool) -> None:
        """Whether the fields of replies tell the ids of their entries, by which one sees when they were written."""
        self._replies.stamps = wanted

    def requests(self, model: str) -> str:
        """The stream for requests to a model."""
        return self.keys.requests(model, self.partitions)

    def send(
        self,
        stream: str,
        fields: Sequence[str | bytes],
        request_id: str,
        timeout: float,
        parked: Parked = (),
        *,
        options: Sequence[str | bytes] = (),
        own: bool = False,
    ) -> asyncio.Future[Fields]:
        """Append one entry; the future gets the fields of its reply. `parked` are payloads under their keys.

        Those of an `own` request, which nobody but this caller knows of, need not outlive him: workers on this machine
        get them through its memory.

        The same `fields` under an id that is waited for are not sent again; other ones raise `id_conflict`.
        """
        content = (*fields, *(len(payload) for _, payload in parked))
        joined = self._waiting.join(request_id, timeout, content)
        if joined is not None:
            return joined
        callers = self._waiting.add(request_id, timeout, content)
        left = [key for key, payload in parked if self._sharing.leave(key, payload)] if own and parked else []
        if left:
            callers.future.add_done_callback(lambda _: self._sharing.remove(left))
        for key, payload in parked:
            if key not in left:
                self._link.send(Command(pack_set(key, payload, PARKED_S), callers, quiet=True, again=True))
        words = ("XADD", stream, "*", *fields, *options, "id", request_id, "reply", self._replies.stream)
        self._link.send(Command(pack(*words), callers, quiet=True, again=True))
        return callers.future

    def command(self, *words: str | bytes | int, again: bool = False) -> asyncio.Future[Any]:
        """Send any other command; the future gets Redis' answer, or `Unavailable`. `again` after a lost connection."""
        return self._link.command(*words, again=again)

    def forget(self, *keys: str) -> None:
        """Delete keys without waiting for it."""
        if keys:
            self._link.send(Command(pack("UNLINK", *keys)))

    def _ask_partitions(self) -> None:
        if not self._closed:
            self._link.send(Command(pack("GET", self.keys.partitions), again=True, then=self._set_partitions))

    def _set_partitions(self, answer: object) -> None:
        """The number is written once, maybe after us: look again until it is there."""
        if isinstance(answer, bytes):
            self.partitions = int(answer)
        elif not self._closed:
            self._loop.call_later(PARTITIONS_S, self._ask_partitions)

    def _overdue(self, request_id: str) -> Exception:
        if not self._link.is_open:
            return Unavailable("unavailable", f"Redis at {self.address} cannot be reached; {request_id} got no answer.")
        return Unavailable("deadline_exceeded", f"No answer to {request_id} came in time.")

    def __repr__(self) -> str:
        return f"<Streams over {self._link!r}, {len(self._waiting)} waiting>"
