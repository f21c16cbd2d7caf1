"""Ports for the processes of one machine."""

from __future__ import annotations

import random
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final

RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
"""Where the ports begin that connections get: one of them may take ours before its process has bound it."""

LOWEST, TRIES = 10_000, 20


class PortTaken(Exception):
    """A port that was asked for is in use."""


def pick(wanted: Sequence[tuple[str, int, int, str]]) -> list[int]:
    """A port for each (flag, given, preferred, host). 0 is any free one; preferred is taken where it is free.

    Any is one that the kernel gives to no connection that goes out, as long as such a one is found.
    Raises `PortTaken` when a given one is not free. All are held until all are chosen, so none comes twice.
    """
    with ExitStack() as held:
        return [_one(held, *each) for each in wanted]


def _one(held: ExitStack, flag: str, given: int, preferred: int, host: str) -> int:
    for port in (given,) if given else _candidates(preferred):
        sock = held.enter_context(socket.socket())
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((host, port))
            sock.listen(1)
        except OSError as exc:
            if given:
                raise PortTaken(f"Port {port} ({flag}) cannot be used on {host}: {exc.strerror}.") from None
            continue
        return int(sock.getsockname()[1])
    raise PortTaken(f"There is no free port on {host} for {flag}.")


def _candidates(preferred: int) -> Iterator[int]:
    """The preferred one, some that no connection takes, and in the end whatever the kernel gives."""
    if preferred:
        yield preferred
    end = _first_of_connections()
    yield from (random.randrange(LOWEST, end) for _ in range(TRIES) if end > LOWEST)
    yield 0


def _first_of_connections() -> int:
    """Where the ports of connections begin; 0 where nobody says so."""
    try:
        return int(RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 0
