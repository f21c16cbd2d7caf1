"""Ports for the processes of one machine."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack


class PortTaken(Exception):
    """A port that was asked for is in use."""


def pick(wanted: Sequence[tuple[str, int, int, str]]) -> list[int]:
    """A port for each (flag, given, preferred, host). 0 is any free one; preferred is taken where it is free.

    Raises `PortTaken` when a given one is not free. All are held until all are chosen, so none comes twice.
    """
    with ExitStack() as held:
        return [_one(held, *each) for each in wanted]


def _one(held: ExitStack, flag: str, given: int, preferred: int, host: str) -> int:
    for port in (given,) if given else _distinct((preferred, 0)):
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


def _distinct(ports: Iterable[int]) -> list[int]:
    return list(dict.fromkeys(ports))
