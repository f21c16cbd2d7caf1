"""Results that are fetched later, and answers that a key asks for once.

What is under way, answered or unknown is told by Redis alone, so any gateway can say it, also one that was started
since: a note beside the request says that it was asked, by whom, and in which form the answer is wanted.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import re
import secrets
from typing import Any, Final, NamedTuple

import orjson

from scurry.client.answers import Answer, AnswerReader
from scurry.client.bodies import parse_reply, raise_error
from scurry.client.later import Later, LaterRequest
from scurry.client.waiting import Fields
from scurry.gateway.ask import Ask, InferCall
from scurry.wire.errors import Failed, InvalidRequest, NotFound, ScurryError

ID_BYTES: Final = 16
LONGEST_KEY: Final = 255
LONGEST_WAIT_S: Final = 60.0
NEVER_RAN: Final = frozenset({"overloaded", "model_not_ready", "model_not_found", "unavailable", "version_not_found"})
"""Refusals that do not use a key up: the same request may be sent again, or another."""
_ID: Final = re.compile(r"[0-9a-f]{32}")
_DELETED: Final = "deleted"

Form = dict[str, Any]
"""How an answer is to be written: `protocol` says whose, the rest is that door's. JSON."""


class Asked(NamedTuple):
    """What is remembered of a request."""

    model: str
    scope: str
    digest: str
    form: Form


class Found(NamedTuple):
    """A request that was asked, and the raw reply once there is one."""

    asked: Asked
    fields: Fields | None


class Results:
    """Takes requests for later, and finds their results for whoever asked. Each is known for `seconds`."""

    def __init__(self, ask: Ask, client: AnswerReader, *, seconds: int) -> None:
        self._ask, self.take = ask, ask.take
        self._client = client
        self._later = Later(client)
        self.keys = client.keys
        self.notices = self._later.notices
        self.seconds = seconds
        self._waiting: set[asyncio.Event] = set()
        self._leaving = False

    async def id_for(self, key: str, scope: str) -> str:
        """The id of a request: nobody can guess it, and the same key of the same scope has the same."""
        return id_of(await self._later.secret(), key, scope) if key else secrets.token_hex(ID_BYTES)

    async def submit(self, call: InferCall, form: Form, *, scope: str = "", keyed: bool = False) -> bool:
        """Return once the request is in Redis; whether it was answered before, which only a key can bring about.

        Raises `ScurryError`, `id_conflict` for a key with another body.
        """
        wanted = call.timeout_us / 1e6
        request = LaterRequest(
            call.id, call.model, call.body, call.parked, call.version, call.key, call.traceparent, call.priority,
            call.tenant, min(wanted, self.seconds) if wanted else self.seconds,
        )  # fmt: skip
        note = _written(Asked(call.model, scope, _digest(call), form))
        if not keyed:
            await self._later.send(request, self.seconds, note)
        elif await self._claim(request.id, note, waits=False) is not None:
            return True
        else:
            await self._later.send(request, self.seconds)
        return False

    async def ask(self, call: InferCall, form: Form, *, scope: str = "") -> Answer:
        """Ask under a key and wait: the first answer, however often the same is asked. Raises `ScurryError`."""
        known = await self._claim(call.id, _written(Asked(call.model, scope, _digest(call), form)), waits=True)
        return await self._client.read(known or await self._ask.submit(call._replace(keep=self.seconds)))

    async def look(self, request_id: str, scope: str = "") -> Found:
        """What there is of a request. Raises `NotFound` for one that nobody of this scope asked, or `Unavailable`."""
        if _ID.fullmatch(request_id) is None:
            raise _unknown(request_id)
        note, fields = await self._later.look(request_id)
        asked = None if note is None else _read(note)
        if asked is None or asked.scope != scope or asked.digest == _DELETED:
            raise _unknown(request_id)
        return Found(asked, fields)

    async def wait(self, request_id: str, scope: str, seconds: float, *, stays: bool = False) -> Found:
        """The same, once there is a result, the time is over or, unless he `stays`, we go. It asks Redis nothing."""
        if seconds <= 0 or (self._leaving and not stays):
            return await self.look(request_id, scope)
        came = asyncio.Event()
        if not stays:
            self._waiting.add(came)
        end = asyncio.get_running_loop().time() + min(seconds, LONGEST_WAIT_S)
        try:
            await self.notices.watch(request_id, came.set)
            while (found := await self.look(request_id, scope)).fields is None:
                came.clear()
                try:
                    async with asyncio.timeout_at(end):
                        await came.wait()
                except TimeoutError:
                    return await self.look(request_id, scope)
                if self._leaving and not stays:
                    break
            return found
        finally:
            self._waiting.discard(came)
            self.notices.unwatch(request_id, came.set)

    async def read(self, fields: Fields) -> Answer:
        """The answer in a reply, what of it is parked fetched and left. Raises the error it was answered with."""
        return await self._client.read(fields)

    async def delete(self, request_id: str, scope: str = "") -> None:
        """Forget a result; what is under way is answered to nobody. Raises `NotFound` or `Unavailable`.

        The note stays, and says so: the job would not answer the id again, should a key bring it back.
        """
        found = await self.look(request_id, scope)
        await self._later.note(request_id, _written(found.asked._replace(digest=_DELETED)), 0)
        await self._later.forget(request_id, _payloads(found.fields), note=False)

    def leave(self) -> None:
        """Nobody waits here any more: each is told what there is and may wait elsewhere."""
        self._leaving = True
        for came in self._waiting:
            came.set()

    async def close(self) -> None:
        """Watch for nothing more."""
        await self._later.close()

    async def _claim(self, request_id: str, note: bytes, *, waits: bool) -> Fields | None:
        """Claim a key's id; the raw reply if it was answered. Raises `id_conflict` or `already_answered`.

        Cases: 1. refused before it ran: free again, whatever the body; 2. deleted; 3. another body; 4. the note of a
        result has expired, and with it what was asked: the job knows, and tells who waits; 5. new, or the same again.
        """
        claim = await self._later.claim(request_id, note, self.seconds)
        asked = _read(note)
        if claim.fields is not None and claim.fields.get(b"error", b"").decode() in NEVER_RAN:
            await self._later.note(request_id, note, self.seconds)
            await self._later.forget(request_id, note=False)
            return None
        _check(_read(claim.note), asked)
        if claim.is_new and claim.fields is not None:
            await self._later.unclaim(request_id)
            if not waits:
                raise Failed("already_answered", "This Idempotency-Key was used, and is expiring: use another.")
            return None
        return claim.fields

    def __repr__(self) -> str:
        return f"<Results kept for {self.seconds} s, {self._later!r}>"


def id_of(secret: bytes, key: str, scope: str) -> str:
    """The id of requests with a key. Raises `InvalidRequest` for what is none."""
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise InvalidRequest("bad_request", f"Idempotency-Key must be 1 to {LONGEST_KEY} printable characters.")
    named = f"{len(scope)}:{scope}{key}".encode(errors="surrogateescape")
    return hmac.new(secret, named, hashlib.sha256).hexdigest()[: 2 * ID_BYTES]


def _check(standing: Asked, asked: Asked) -> None:
    """Raise `already_answered` or `id_conflict` for a key that stands for something else."""
    if standing.digest == _DELETED:
        raise Failed("already_answered", "This Idempotency-Key was used, and what it stood for is gone: use another.")
    if standing.digest != asked.digest:
        raise InvalidRequest("id_conflict", "This Idempotency-Key was used before, with another request.")


def _digest(call: InferCall) -> str:
    """What tells one request from another; parked tensors have keys that end in a digest of their bytes."""
    parts = (call.model.encode(), call.version.encode(), call.body)
    return hashlib.blake2b(b"".join(b"%d:%b" % (len(part), part) for part in parts), digest_size=16).hexdigest()


def _written(asked: Asked) -> bytes:
    return orjson.dumps(asked._asdict())


def _read(note: bytes) -> Asked:
    return Asked(**orjson.loads(note))


def _payloads(fields: Fields | None) -> list[str]:
    """Keys of what is parked of a reply."""
    if fields is None:
        return []
    with contextlib.suppress(ScurryError):
        raise_error(fields)
        whole = fields.get(b"payload", b"").decode()
        return [tensor.payload for tensor in parse_reply(fields.get(b"reply", b"")).outputs if tensor.payload] + (
            [whole] if whole else []
        )
    return []


def _unknown(request_id: str) -> NotFound:
    return NotFound("result_not_found", f"No result has the id {request_id[:64]!r}, or it has expired or was deleted.")
