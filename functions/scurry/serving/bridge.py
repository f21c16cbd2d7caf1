"""The bridge: what Cluster Serving clients write reaches the job.

It waits for entries of all bound streams at once, and for news of the registry, which says what is bound.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import signal
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import uvloop

from scurry.redis import connection
from scurry.redis.address import Address
from scurry.redis.connection import Command, pack
from scurry.redis.link import Link
from scurry.serving import handover
from scurry.serving.bridge_page import BridgePage
from scurry.serving.handover import Bound, bound_streams
from scurry.serving.outstanding import Outstanding
from scurry.serving.readiness import BRIDGE_LINE
from scurry.serving.rereading import look_for_ever
from scurry.serving.tls import rereadings, tls_of
from scurry.telemetry.logs import configure_logging
from scurry.telemetry.prometheus import Figure
from scurry.wire.errors import ScurryError
from scurry.wire.names import Keys

if TYPE_CHECKING:
    from scurry.settings import BridgeSettings

log = logging.getLogger(__name__)

WAIT_S: Final = 5.0
"""How long entries and news are waited for before all is looked at anew."""
AGAIN_S: Final = 0.5
"""After what failed, and between two looks at the registry's view: a thousand registrations are a thousand news."""


FULL_S: Final = 0.02
"""Between two looks at whether a model has answered, of which enough is under way."""


def run(settings: BridgeSettings) -> None:
    """Carry entries over until SIGTERM or SIGINT."""
    configure_logging("bridge", settings.log_level, form=settings.log_format)
    log.setLevel(min(log.getEffectiveLevel(), logging.INFO))  # `scurry up` waits for our line, however quiet we are
    uvloop.run(serve(settings))


async def serve(settings: BridgeSettings, stop: asyncio.Event | None = None) -> None:
    """Carry entries over until the signal (or `stop`); what is not carried over stays in its stream."""
    if stop is None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    link = Link(Address.parse(settings.redis_url))
    link.start()
    bridge = Bridge(link, Keys(settings.namespace))
    page = BridgePage(lambda: link.is_open, bridge.figures)
    tls = tls_of(settings, pages=True)
    await page.open(settings.host, settings.port, context=tls.context() if tls else None)
    looking = asyncio.create_task(look_for_ever(rereadings(tls)))
    carrying, stopping = asyncio.create_task(bridge.carry_on()), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait((carrying, stopping), return_when=asyncio.FIRST_COMPLETED)
        log.info("bridge stops: %r", bridge)
        if carrying.done():  # it never ends by itself: what ended it is a fault, and who watches us starts another
            carrying.result()
    finally:
        for task in (carrying, stopping, looking):
            task.cancel()
        await asyncio.gather(carrying, stopping, looking, return_exceptions=True)
        await page.close()
        await link.close()


def records_of(flat: Sequence[bytes]) -> dict[str, Any]:
    """The records in the registry's view; what is none is left out."""
    records: dict[str, Any] = {}
    for name, text in zip(flat[::2], flat[1::2], strict=True):
        with contextlib.suppress(ValueError):
            record = json.loads(text)
            if isinstance(record, dict):
                records[name.decode()] = record
    return records


class Bridge:
    """Moves entries from bound streams to the job's."""

    def __init__(self, link: Link, keys: Keys) -> None:
        self._link, self._keys = link, keys
        self._loop = asyncio.get_running_loop()
        self._bound: dict[str, Bound] = {}
        self._looked = float("-inf")
        self._stale = True
        self._news = "0-0"
        self._failing: set[str] = set()  # streams that cannot be moved, until all is looked at anew
        self._complained: dict[str, str] = {}  # why
        self._outstanding: dict[str, Outstanding] = {}  # by model
        self._full: set[str] = set()  # streams that wait for their models
        self.moved = 0

    def figures(self) -> list[Figure]:
        """For Prometheus."""
        moved = "Entries of Cluster Serving streams that were moved"
        return [
            Figure("scurry_bridge_moved_total", "counter", moved, self.moved),
            Figure("scurry_bridge_streams", "gauge", "Streams that are bound", len(self._bound)),
        ]

    async def carry_on(self) -> None:
        """Move what comes, for ever."""
        said = ""
        due: Iterable[str] = ()
        while True:
            try:
                if self._loop.time() - self._looked > (AGAIN_S if self._stale else WAIT_S):
                    await self._look()
                    due = self._bound
                if not said:
                    said = BRIDGE_LINE
                    log.info("%s at %s", said, self._link.address)
                await self._move_all(due)
                due = await self._wait()
            except ScurryError as cause:
                if said != str(cause):
                    said = str(cause)
                    log.warning("entries wait in their streams: %s", said)
                await asyncio.sleep(AGAIN_S)

    async def _look(self) -> None:
        """What is bound by now; news after that is news."""
        last = await self._link.command("XREVRANGE", self._keys.registry, "+", "-", "COUNT", 1, again=True)
        self._news = last[0][0].decode() if last else "0-0"
        flat = await self._link.command("HGETALL", self._keys.models, again=True)
        found = bound_streams(records_of(flat), self._keys)
        if found != self._bound:
            log.info("bound streams: %s", ", ".join(f"{one.stream} to {one.model}" for one in found.values()) or "none")
        self._bound, self._looked = found, self._loop.time()
        self._failing.clear()
        self._stale = False
        models = {one.model for one in found.values()}
        self._outstanding = {model: one for model, one in self._outstanding.items() if model in models}

    async def _move_all(self, streams: Iterable[str]) -> None:
        """Move all that lies in these streams, each in its turn."""
        left = [self._bound[one] for one in streams if one in self._bound]
        while left:
            left = [bound for bound in left if await self._move(bound)]

    async def _move(self, bound: Bound) -> bool:
        """Move some entries of a stream; whether there may be more."""
        outstanding = self._outstanding.setdefault(bound.model, Outstanding(self._loop.time()))
        words = handover.command(bound, self._keys, outstanding.room)
        try:
            moved, left, answered = await self._link.command(*words, again=True)
        except ScurryError as cause:
            if not self._link.is_open:
                raise
            self._failing.add(bound.stream)
            self._stale = True
            if self._complained.get(bound.stream) != str(cause):
                self._complained[bound.stream] = str(cause)
                log.warning("stream %s cannot be moved: %s", bound.stream, cause)
            return False
        self._complained.pop(bound.stream, None)
        self.moved += moved
        outstanding.note(moved, answered, self._loop.time())
        if left and not outstanding.room:
            self._full.add(bound.stream)
        return bool(left and outstanding.room)

    async def _wait(self) -> list[str]:
        """The streams that have something; nothing when the registry has news, or the time is over."""
        full, self._full = self._full, set()
        streams = [one for one in self._bound if one not in self._failing and one not in full]
        places = [self._news, *["0-0"] * len(streams)]
        patience = FULL_S if full else AGAIN_S if self._stale else WAIT_S
        asked: asyncio.Future[Any] = self._loop.create_future()
        wait = ("XREAD", "COUNT", 1, "BLOCK", int(1000 * patience))
        read = pack(*wait, "STREAMS", self._keys.registry, *streams, *places)
        self._link.send(Command(read, asked, again=True, patience=patience + connection.ANSWER_S))
        found = {name.decode(): entries for name, entries in await asked or ()}
        news = found.pop(self._keys.registry, None)
        if news:
            self._news, self._stale = news[-1][0].decode(), True
        return [*found, *full]

    def __repr__(self) -> str:
        return f"<Bridge {len(self._bound)} streams, {self.moved} entries moved>"
