"""Requests whose results are fetched later, maybe by another process.

Two keys tell everything: `asked:<id>`, a note of the one who asked, and `result:<id>`, which the job writes. The note
is written with the request, in one write to Redis, and lives as long as the result may be asked for.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from scurry.client.bodies import Parked
from scurry.client.notices import Notices
from scurry.client.session import PATIENCE_S, Session
from scurry.client.streams import PARKED_S
from scurry.client.waiting import Fields
from scurry.wire.errors import Unavailable

SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class LaterRequest:
    """A request that nobody waits for. Its body is an `InferRequest`."""

    id: str
    model: str
    body: bytes
    parked: Parked = ()
    version: str = ""
    key: str = ""
    traceparent: str = ""
    priority: int = 0
    tenant: str = ""
    timeout_s: float = 3600.0

    def fields(self, keep_s: int, reply: str) -> list[str | bytes]:
        """As it stands in the stream."""
        deadline = int((time.time() + self.timeout_s) * 1000)
        words: list[str | bytes] = ["model", self.model, "request", self.body]
        given = {
            "version": self.version, "key": self.key, "traceparent": self.traceparent, "tenant": self.tenant,
            "priority": str(self.priority or ""),
        }  # fmt: skip
        for name, value in given.items():
            words += (name, value) if value else ()
        return [*words, "deadline", str(deadline), "keep", str(keep_s), "id", self.id, "reply", reply]


class Claim(NamedTuple):
    """Whose note stands for an id, and what is known of its result."""

    note: bytes
    is_new: bool
    fields: Fields | None


class Later:
    """Sends requests for later and finds what came of them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._secret = b""
        self.notices = Notices(session)

    async def send(self, request: LaterRequest, seconds: int, note: bytes = b"") -> None:
        """Return once Redis has the request, and the note if there is one. Raises `Unavailable`."""
        keys, streams = self._session.keys, self._session.streams
        commands = [(*_set(key, payload, PARKED_S),) for key, payload in request.parked]
        if note:
            commands.append(_set(keys.asked(request.id), note, seconds))
        commands.append(("XADD", keys.bulk, "*", *request.fields(seconds, keys.notices)))
        answers = await self._all(*(streams.command(*words, again=True) for words in commands))
        self.notices.trim(answers[-1])

    async def claim(self, request_id: str, note: bytes, seconds: int) -> Claim:
        """Leave the note unless there is one. Raises `Unavailable`."""
        keys, streams = self._session.keys, self._session.streams
        asked, result = keys.asked(request_id), keys.result(request_id)
        written, standing, flat = await self._all(
            streams.command("SET", asked, note, "NX", "EX", seconds, again=True),
            streams.command("GET", asked, again=True),
            streams.command("HGETALL", result, again=True),
        )
        return Claim(standing or note, written is not None, _fields(flat))

    async def unclaim(self, request_id: str) -> None:
        """Take a note away. Raises `Unavailable`."""
        await self._all(self._session.streams.command("UNLINK", self._session.keys.asked(request_id), again=True))

    async def note(self, request_id: str, note: bytes, seconds: int) -> None:
        """Leave another note in place of what there was; 0 seconds: for as long as that had. Raises `Unavailable`."""
        life = ("EX", seconds) if seconds else ("XX", "KEEPTTL")
        await self._all(self._session.streams.command("SET", self._session.keys.asked(request_id), note, *life))

    async def look(self, request_id: str) -> tuple[bytes | None, Fields | None]:
        """The note and the result, so far as they are there. Raises `Unavailable`."""
        keys, streams = self._session.keys, self._session.streams
        note, flat = await self._all(
            streams.command("GET", keys.asked(request_id), again=True),
            streams.command("HGETALL", keys.result(request_id), again=True),
        )
        return note, _fields(flat)

    async def forget(self, request_id: str, payloads: Sequence[str] = (), *, note: bool = True) -> None:
        """Delete a result, what of it is parked, and the note. Raises `Unavailable`."""
        keys, streams = self._session.keys, self._session.streams
        dead = [keys.result(request_id), *((keys.asked(request_id),) if note else ())]
        dead += [key for key in payloads if keys.owns(request_id, key)]
        await self._all(*(streams.command("UNLINK", key, again=True) for key in dead))

    async def secret(self) -> bytes:
        """What ids are made from that nobody may guess: the same for all who share a Redis. Raises `Unavailable`."""
        if not self._secret:
            key, streams = self._session.keys.idempotency, self._session.streams
            _, found = await self._all(
                streams.command("SET", key, secrets.token_bytes(SECRET_BYTES), "NX", again=True),
                streams.command("GET", key, again=True),
            )
            self._secret = found or b""
        return self._secret

    async def close(self) -> None:
        """Watch no more."""
        await self.notices.close()

    async def _all(self, *answers: asyncio.Future[Any]) -> list[Any]:
        """Answers to commands that leave in one write; a Redis that is away is waited for."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                return [await answer for answer in answers]
        except TimeoutError:
            raise Unavailable("unavailable", f"Redis at {self._session.streams.address} does not answer.") from None
        finally:
            for answer in answers:
                if not answer.cancel() and not answer.cancelled():
                    answer.exception()  # told by the first that failed

    def __repr__(self) -> str:
        return f"<Later {self.notices!r}>"


def _set(key: str, value: bytes | memoryview, seconds: int) -> tuple[str | bytes | int, ...]:
    return ("SET", key, bytes(value), "EX", seconds)


def _fields(flat: Sequence[bytes]) -> Fields | None:
    return dict(zip(flat[::2], flat[1::2], strict=True)) if flat else None
