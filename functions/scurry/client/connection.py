"""One connection to Redis: commands out in piles, answers in order."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Final

import hiredis

from scurry.client.address import Address

CONNECT_S: Final = 5.0
_NOTHING: Final = object()

Answered = Callable[[Any], None]


class Command:
    """A packed command, and who wants to know its answer.

    `then` gets every answer. Without `then`, `future` gets the answer, or only a failure when `quiet`: a request's
    future is resolved by its reply, not by Redis having taken it.
    """

    __slots__ = ("future", "parts", "quiet", "then")

    def __init__(
        self,
        parts: tuple[bytes, ...],
        future: asyncio.Future[Any] | None = None,
        *,
        quiet: bool = False,
        then: Answered | None = None,
    ) -> None:
        self.parts = parts
        self.future = future
        self.quiet = quiet
        self.then = then

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for what this command does."""
        return self.future is not None and not self.future.done()

    def __repr__(self) -> str:
        return f"<Command of {sum(map(len, self.parts))} bytes, {'wanted' if self.wanted else 'unwanted'}>"


class Connection(asyncio.Protocol):
    """Redis over one socket. `failed` maps an error reply to the exception a future gets."""

    def __init__(
        self, lost: Callable[[Connection, Exception | None], None], failed: Callable[[str], Exception]
    ) -> None:
        self._lost = lost
        self._failed = failed
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._transport: asyncio.WriteTransport | None = None
        self.greeted = False
        self.unanswered: deque[Command] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport; a silent peer is noticed by the kernel."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport can write
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    @property
    def open(self) -> bool:
        """Whether the socket is there."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, commands: Iterable[Command]) -> None:
        """Send a pile of commands in one write."""
        parts: list[bytes] = []
        for command in commands:
            self.unanswered.append(command)
            parts.extend(command.parts)
        if self._transport is not None and self.open:
            self._transport.writelines(parts)

    def data_received(self, data: bytes) -> None:
        """Hand each answer to the command it belongs to."""
        reader, unanswered = self._reader, self.unanswered
        reader.feed(data)
        try:
            while (answer := reader.gets()) is not _NOTHING:
                command = unanswered.popleft()
                if command.then is not None:
                    command.then(answer)
                elif not command.quiet or isinstance(answer, hiredis.ReplyError):
                    self._tell(command, answer)
        except (hiredis.ProtocolError, IndexError):
            self.close()

    def _tell(self, command: Command, answer: Any) -> None:  # noqa: ANN401 - whatever Redis answers
        future = command.future
        if future is None or future.done():
            return
        if isinstance(answer, hiredis.ReplyError):
            future.set_exception(self._failed(str(answer)))
        else:
            future.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, who takes over what is unanswered; before the greeting is over nobody owns it."""
        self._transport = None
        if self.greeted:
            self._lost(self, exc)
            return
        for command in self.unanswered:
            if command.future is not None and not command.future.done():
                command.future.set_exception(ConnectionResetError("it closed the connection"))

    def close(self) -> None:
        """Close the socket; `lost` follows."""
        if self._transport is not None:
            self._transport.close()

    def __repr__(self) -> str:
        return f"<Connection {'open' if self._transport else 'closed'}, {len(self.unanswered)} unanswered>"


def pack(*words: str | bytes | int) -> tuple[bytes, ...]:
    """A command as it goes over the wire."""
    return (hiredis.pack_command(words),)  # type: ignore[arg-type]  # its stub knows tuples of one only


def pack_set(key: str, value: bytes, expire_s: int) -> tuple[bytes, ...]:
    """`SET key value EX expire_s`, without copying the value."""
    name, ttl = key.encode(), str(expire_s).encode()
    head = b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n" % (len(name), name, len(value))
    return head, value, b"\r\n$2\r\nEX\r\n$%d\r\n%b\r\n" % (len(ttl), ttl)


async def connect(
    address: Address, lost: Callable[[Connection, Exception | None], None], failed: Callable[[str], Exception]
) -> Connection:
    """Open a connection and greet. Raises `OSError` (`TimeoutError` included) or what `failed` makes of a refusal."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(CONNECT_S):
        if address.path:
            _, link = await loop.create_unix_connection(lambda: Connection(lost, failed), address.path)
        else:
            _, link = await loop.create_connection(
                lambda: Connection(lost, failed), address.host, address.port, ssl=address.context()
            )
        try:
            waiting: list[asyncio.Future[Any]] = [loop.create_future() for _ in address.greeting()]
            link.write(Command(pack(*words), future) for words, future in zip(address.greeting(), waiting, strict=True))
            await asyncio.gather(*waiting)
            link.greeted = True
        except BaseException:
            link.close()
            raise
    return link
