"""The inference function: which model runs when, and where.

1. A quick model that is on the shelf, asked by requests that bring everything with them, runs in the event loop
   itself: a thread would cost more than the model, and would fight the loop for the interpreter. The loop is given a
   turn every 2 ms, so heartbeats and other exchanges go on.
2. All else is a task: open the model if need be, fetch what is parked, compute in a thread, park what is large. Quick
   and slow models have threads of their own, so that a slow model never delays a quick one.

`…/solo/…` addresses bring requests that lost their worker: they run one by one, in a thread. (They travel alone.)
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import secrets
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from scurry.inference.answers import write_bodies
from scurry.inference.batch import batches, run
from scurry.inference.loads import answer_load
from scurry.inference.members import claim, drop_late, keys_needed, supply
from scurry.inference.pile import Pile
from scurry.wire.errors import Failed, ScurryError
from scurry.wire.messages_pb2 import Load, Unload
from scurry.wire.names import INFERENCE, Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scurry.endpoint.call import Call, State
    from scurry.inference.answers import Parcel
    from scurry.inference.members import Member
    from scurry.inference.payloads import Payloads
    from scurry.inference.shelf import Held, Shelf

log = logging.getLogger(__name__)

INLINE_SECONDS: Final = 0.001
"""A pile that is expected to take no longer than this runs in the event loop."""
TURN_SECONDS: Final = 0.002
"""How long the event loop may be kept at a stretch."""
SLOW_SECONDS: Final = 0.02
"""Models slower than this share threads among themselves."""


class Inference:
    """Answers the calls of `scurry/inference`."""

    typename = INFERENCE
    state: State | None = None

    def __init__(
        self,
        shelf: Shelf,
        payloads: Payloads,
        *,
        keys: Keys | None = None,
        worker: str = "",
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._shelf, self._payloads, self._keys = shelf, payloads, keys or Keys()
        self.worker, self._clock = worker, clock
        self._token, self._piles = secrets.token_hex(6), itertools.count()  # names that no other worker gives
        cores = os.cpu_count() or 1
        self._quick = ThreadPoolExecutor(max(2, cores), "quick")
        self._slow = ThreadPoolExecutor(max(4, 2 * cores), "slow")

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; quick ones at once, the others as they finish."""
        near: list[tuple[Pile, Held | None]] = []
        later: list[asyncio.Task[None]] = []
        for call in calls:
            pile = Pile(call)
            held = self._at_hand(pile)
            if held is None and (pile.requests or pile.changes):
                later.append(asyncio.create_task(self._answer_later(pile, done)))
            else:
                near.append((pile, held))
        if later:
            await asyncio.sleep(0)  # what takes longer begins first
        since = time.perf_counter()
        for pile, held in near:
            if time.perf_counter() - since > TURN_SECONDS:
                await asyncio.sleep(0)
                since = time.perf_counter()
            parcels = self._compute(pile, held) if held is not None else []
            if parcels:
                later.append(asyncio.create_task(self._answer_parked(pile, parcels, done)))
            else:
                pile.finish()
                done(pile.call)
        if later:
            await asyncio.gather(*later)

    def _at_hand(self, pile: Pile) -> Held | None:
        """The model, if these requests can be answered without waiting for anything."""
        if not pile.requests or pile.changes or pile.solo:
            return None
        held = self._shelf.find(pile.key, pile.spec.generation)
        if held is None or held.expected(len(pile.requests)) > INLINE_SECONDS:
            return None
        try:
            pile.members = claim(pile.requests, held.forms)
        except Exception as cause:
            _fail(pile, cause)
            return held
        return None if any(member.needs for member in pile.members) else held

    async def _answer_later(self, pile: Pile, done: Callable[[Call], None]) -> None:
        """Answer a call that has to wait for something."""
        changes = [self._change(pile.call, change) for change in pile.changes]
        try:
            if changes:
                await asyncio.gather(*changes)
            if pile.requests:
                await self._infer(pile)
        except ScurryError as failure:
            pile.fail(failure)
        except Exception as cause:
            _fail(pile, cause)
        pile.finish()
        done(pile.call)

    async def _answer_parked(self, pile: Pile, parcels: Sequence[Parcel], done: Callable[[Call], None]) -> None:
        """Answer a call whose outputs turned out to be large."""
        await self._park(pile, parcels)
        pile.finish()
        done(pile.call)

    async def _change(self, call: Call, change: Load | Unload) -> None:
        if isinstance(change, Load):
            await answer_load(call, change, self._shelf, self.worker)
        else:
            self._shelf.unload((change.model, change.version), change.generation)

    async def _infer(self, pile: Pile) -> None:
        held = await self._shelf.load(pile.key, pile.spec)
        held.users += 1
        try:
            if pile.members is None:
                pile.members = claim(pile.requests, held.forms)
            await self._fetch(pile.members, held)
            pool = self._quick if held.seconds < SLOW_SECONDS else self._slow
            async with held.turn:
                parcels = await asyncio.get_running_loop().run_in_executor(pool, self._compute, pile, held)
        finally:
            held.users -= 1
            self._shelf.trim()
        if parcels:
            await self._park(pile, parcels)

    async def _fetch(self, members: Sequence[Member], held: Held) -> None:
        """Bring what is parked; a parked body may refer to parked tensors, hence the loop."""
        drop_late(members, self._now())
        while keys := keys_needed(members):
            try:
                found = await self._payloads.fetch(keys)
            except ScurryError as failure:
                for member in members:
                    if member.needs:
                        member.failure, member.needs = failure, None
                return
            supply(members, found, held.forms)

    async def _park(self, pile: Pile, parcels: Sequence[Parcel]) -> None:
        try:
            await self._payloads.park(parcels)
        except ScurryError as failure:
            pile.fail(failure)
        except Exception as cause:
            _fail(pile, cause)

    def _compute(self, pile: Pile, held: Held) -> list[Parcel]:
        """Run all that is ready and serialise it; in the event loop or in a thread, and it never raises."""
        members = pile.members or []
        try:
            limit = 1 if pile.solo else held.model.max_batch_size
            for batch in batches(members, limit, batched=held.model.batched):
                self._run(held, batch)
            token = f"{self._token}{next(self._piles):x}"
            return write_bodies(members, held.forms, self._keys, pile.version, token)
        except Exception as cause:
            _fail(pile, cause)
            return []

    def _run(self, held: Held, batch: list[Member]) -> None:
        drop_late(batch, self._now())
        on_time = [member for member in batch if member.failure is None]
        if on_time:
            start = time.perf_counter()
            run(held.model, held.forms, on_time)
            held.took(time.perf_counter() - start)

    def _now(self) -> int:
        return int(self._clock() * 1000)

    def close(self) -> None:
        """Let the threads go."""
        self._quick.shutdown(wait=False)
        self._slow.shutdown(wait=False)

    def __repr__(self) -> str:
        return f"<Inference {self.worker or 'worker'}: {self._shelf!r}>"


def _fail(pile: Pile, cause: Exception) -> None:
    """A fault of our own: whoever has no answer yet is told so."""
    log.exception("%s failed", pile.call.key, exc_info=cause)
    pile.fail(Failed("internal", f"The worker failed: {type(cause).__name__}: {cause}"))
