"""Asks Sentinels where the master is; the twin of Java's `Sentinels`."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterator
from typing import Any, Final

import hiredis

from scurry.redis.address import Address, Place

PATIENCE_S: Final = 2.0
_MOST: Final = 4096

_log = logging.getLogger(__name__)
_turns: Final[Iterator[int]] = itertools.count()


async def locate(address: Address) -> Address:
    """The address itself, or that of the master that a Sentinel names. Raises `OSError` when none does.

    Each question begins with another Sentinel, because one that is cut off from the others may go on naming a master
    that is none any more.
    """
    if not address.sentinels:
        return address
    begin, said = next(_turns) % len(address.sentinels), ""
    for place in address.sentinels[begin:] + address.sentinels[:begin]:
        try:
            async with asyncio.timeout(PATIENCE_S):
                found = await _ask(address, place)
            if found:
                return address.node(found)
            said = f"{place[0]}:{place[1]} knows no master {address.master}"
        except OSError as cause:
            said = f"{place[0]}:{place[1]} {str(cause) or 'does not answer'}"
        _log.debug("Sentinel: %s", said)
    raise ConnectionError(f"no Sentinel names a master: {said}")


async def _ask(address: Address, place: Place) -> str:
    """`host:port` of the master; empty when this Sentinel knows none. Raises `OSError`."""
    reader, writer = await asyncio.open_connection(*place, ssl=address.context())
    try:
        commands = [*address.sentinel_login.command(), ("SENTINEL", "GET-MASTER-ADDR-BY-NAME", address.master)]
        writer.write(b"".join(map(hiredis.pack_command, commands)))  # type: ignore[arg-type]  # its stub knows one word
        answers = await _answers(reader, len(commands))
    finally:
        writer.close()
    refused = next((each for each in answers if isinstance(each, hiredis.ReplyError)), None)
    if refused is not None:
        raise ConnectionRefusedError(str(refused))
    found = answers[-1]
    return f"{found[0].decode()}:{found[1].decode()}" if isinstance(found, list) else ""


async def _answers(reader: asyncio.StreamReader, count: int) -> list[Any]:
    """So many answers. Raises `OSError`."""
    parser, answers = hiredis.Reader(notEnoughData=Ellipsis), list[Any]()
    while len(answers) < count:
        data = await reader.read(_MOST)
        if not data:
            raise ConnectionResetError("closed the connection")
        parser.feed(data)
        try:
            while (answer := parser.gets()) is not Ellipsis:
                answers.append(answer)
        except hiredis.ProtocolError:
            raise ConnectionError("does not speak as Redis does") from None
    return answers
