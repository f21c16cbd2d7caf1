"""A transport and a host that only remember."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Transport(asyncio.Transport):
    """What was written, and whether it is read or closed."""

    def __init__(self, peercert: object = None) -> None:
        super().__init__({"peercert": peercert})
        self.written = b""
        self.closed = self.paused = False
        self.protocol: asyncio.BaseProtocol | None = None

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        self.protocol = protocol


class Other(asyncio.Protocol):
    """Whoever takes over."""

    def __init__(self) -> None:
        self.received = b""

    def data_received(self, data: bytes) -> None:
        self.received += data


class Host:
    """Answers a body with its length, once it may."""

    def __init__(self) -> None:
        self.connections: set = set()
        self.bodies: list[bytes] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def exchange(self, body: bytes, send: Callable[[bytes, bool], None]) -> None:
        await self.gate.wait()
        self.bodies.append(bytes(body))
        send(b"%d" % len(body), True)
