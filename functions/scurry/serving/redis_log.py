"""Has our own Redis rewrite its file if that is long after a start.

Redis does so by itself when the file has doubled, but counts from what it found at its start: after each crash the file
may grow to twice its size before that, and Redis reads it at 70 MB a second while nobody is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Final

from scurry.redis.address import Address
from scurry.redis.link import Link
from scurry.wire.errors import ScurryError

LONG_BYTES: Final = 256 << 20
"""A shorter file is read in a few seconds."""
LOOK_S: Final = 5.0

_log = logging.getLogger(__name__)


async def keep_short(url: str, long_bytes: int = LONG_BYTES, look_s: float = LOOK_S) -> None:
    """Look after every start of this Redis, until cancelled."""
    link, known = Link(Address.parse(url)), ""
    link.start()
    try:
        while True:
            with contextlib.suppress(ScurryError):  # it is away, or rewrites already
                known = await _look(link, known, long_bytes)
            await asyncio.sleep(look_s)
    finally:
        await link.close()


async def _look(link: Link, known: str, long_bytes: int) -> str:
    """The run that was looked at."""
    info = _facts(await link.command("INFO", again=True))
    if info["run_id"] != known and is_long(info, long_bytes):
        await link.command("BGREWRITEAOF")
        _log.info("Redis came back with a log of %s bytes: it is written anew", info["aof_current_size"])
    return info["run_id"]


def is_long(info: dict[str, str], long_bytes: int) -> bool:
    """Whether the file is long, and longer than what it holds is in memory: written anew it is shorter than that."""
    return int(info.get("aof_current_size", 0)) > max(long_bytes, int(info["used_memory"]))


def _facts(info: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in info.decode().splitlines())
    return {name: value for name, _, value in pairs if value}
