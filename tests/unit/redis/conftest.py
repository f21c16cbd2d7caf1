"""A cluster in memory: nodes that answer commands as a test says, over connections without sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import hiredis
import pytest

from scurry.redis import dial
from scurry.redis.connection import Connection

Answers = Callable[[list[bytes]], bytes | None]


class FakeTransport(asyncio.Transport):
    """One connection to a node. What is written and not taken stays in the buffer."""

    def __init__(self, node: Node, link: Connection) -> None:
        super().__init__()
        self.node, self.link, self.reader, self.closed = node, link, hiredis.Reader(), False
        link.connection_made(self)

    def writelines(self, parts: Any) -> None:
        self.reader.feed(b"".join(parts))
        while (command := self.reader.gets()) is not False:
            self.node.commands.append(command)
            answer = self.node.answers(command)
            if answer is not None:
                self.answer(answer)

    def answer(self, data: bytes) -> None:
        asyncio.get_running_loop().call_soon(lambda: self.closed or self.link.data_received(data))

    def get_write_buffer_size(self) -> int:
        return self.node.stuck

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.link.connection_lost, None)

    abort = close

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


class Node:
    """One Redis. `answers` gives the bytes for a command, or None for silence."""

    def __init__(self) -> None:
        self.commands: list[list[bytes]] = []
        self.answers: Answers = lambda command: b"+OK\r\n"
        self.links: list[FakeTransport] = []
        self.down = False
        self.stuck = 0

    def drop(self) -> None:
        """Close every connection."""
        links, self.links = self.links, []
        for link in links:
            link.close()


class Cluster:
    """Nodes under `host:port`."""

    def __init__(self) -> None:
        self.nodes: dict[str, Node] = {}

    def node(self, place: str) -> Node:
        """The node at that place, made when it is first named."""
        return self.nodes.setdefault(place, Node())

    async def connect(self, address: Any, *callbacks: Any) -> Connection:
        node = self.node(str(address))
        await asyncio.sleep(0)
        if node.down:
            raise ConnectionRefusedError(111, "Connection refused")
        link = Connection(*callbacks)
        link.greeted = True
        node.links.append(FakeTransport(node, link))
        return link


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    """Every link that is opened talks to this; pauses are short."""
    made = Cluster()
    monkeypatch.setattr(dial, "connect", made.connect)
    monkeypatch.setattr(dial, "BACK_OFF_S", (0.0, 0.0))
    monkeypatch.setattr(dial, "PAUSE_S", 0.0)
    return made
