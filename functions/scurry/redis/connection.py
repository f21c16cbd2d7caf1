"""One connection to Redis: commands out in piles, answers in order."""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Final, Protocol

import hiredis

from scurry.redis.address import Address
from scurry.redis.pulse import Pulse
from scurry.redis.sentinel import locate

CONNECT_S: Final = 5.0
ANSWER_S: Final = 6.0
"""Redis answers a command within this time, or the connection is half dead."""
CHECK_S: Final = 1.0
"""How often the age of the oldest unanswered command is looked at."""
_NOTHING: Final = object()

Answered = Callable[[Any], None]
Part = bytes | memoryview
"""A view counts bytes: one dimension, one byte an item."""


class Waiter(Protocol):
    """A future, or what stands for several."""

    def done(self) -> bool:
        """Whether nobody waits any more."""
        ...

    def set_result(self, answer: Any, /) -> None:  # noqa: ANN401 - whatever Redis answers
        """Hand the answer over."""
        ...

    def set_exception(self, cause: Exception, /) -> None:
        """Say that there is none."""
        ...


class Command:
    """A packed command, and who wants to know its answer.

    `then` gets every answer. Without `then`, `future` gets the answer, or only a failure when `quiet`: a request's
    future is resolved by its reply, not by Redis having taken it. After a lost connection it is sent once more when it
    may be (`again`) and somebody still waits. `patience` is how long Redis may take for it.
    """

    __slots__ = ("again", "future", "parts", "patience", "quiet", "sent_at", "then")

    def __init__(
        self,
        parts: tuple[Part, ...],
        future: Waiter | None = None,
        *,
        quiet: bool = False,
        again: bool = False,
        then: Answered | None = None,
        patience: float | None = None,
    ) -> None:
        self.parts = parts
        self.future = future
        self.quiet = quiet
        self.again = again
        self.then = then
        self.patience = ANSWER_S if patience is None else patience
        self.sent_at = 0.0

    @property
    def wanted(self) -> bool:
        """Whether anybody still waits for what this command does."""
        return self.then is not None or (self.future is not None and not self.future.done())

    def finish(self, answer: Any) -> None:  # noqa: ANN401 - whatever Redis answers
        """Hand the answer to whoever waits for it."""
        if self.future is not None and not self.future.done():
            self.future.set_result(answer)

    def fail(self, cause: Exception) -> None:
        """Tell whoever waits that there is no answer."""
        if self.future is not None and not self.future.done():
            self.future.set_exception(cause)

    def __repr__(self) -> str:
        return f"<Command of {sum(map(len, self.parts))} bytes, {'wanted' if self.wanted else 'unwanted'}>"


class Connection(asyncio.Protocol):
    """Redis over one socket.

    `failed` maps an error reply to the exception a future gets; `taken` may take the command of an error reply over,
    and says so. A connection that is half dead is closed.
    """

    def __init__(self, lost: Lost, failed: Callable[[str], Exception], taken: Taken | None = None) -> None:
        self._lost = lost
        self._failed = failed
        self._taken = taken
        self._loop = asyncio.get_running_loop()
        self._reader = hiredis.Reader(notEnoughData=_NOTHING)
        self._transport: asyncio.WriteTransport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._pulse = Pulse(self._loop.time())
        self._written = 0
        self._retired = False
        self.greeted = False
        self.unanswered: deque[Command] = deque()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport and an eye on it."""
        self._transport = transport  # type: ignore[assignment]  # a stream's transport can write
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        self._watch = self._loop.call_later(CHECK_S, self._check)

    @property
    def open(self) -> bool:
        """Whether the socket is there."""
        return self._transport is not None and not self._transport.is_closing()

    def write(self, commands: Iterable[Command]) -> None:
        """Send a pile of commands in one write."""
        parts: list[Part] = []
        now = self._loop.time()
        for command in commands:
            command.sent_at = now
            self.unanswered.append(command)
            parts.extend(command.parts)
        if self._transport is not None and self.open:
            self._written += sum(map(len, parts))
            self._transport.writelines(parts)

    def data_received(self, data: bytes) -> None:
        """Hand each answer to the command it belongs to."""
        self._pulse.heard(self._loop.time())
        reader, unanswered = self._reader, self.unanswered
        reader.feed(data)
        try:
            while (answer := reader.gets()) is not _NOTHING:
                command = unanswered.popleft()
                if isinstance(answer, hiredis.ReplyError):
                    self._refuse(command, answer)
                elif command.then is not None:
                    command.then(answer)
                elif not command.quiet:
                    command.finish(answer)
        except (hiredis.ProtocolError, IndexError):
            self.close()
        if self._retired and not unanswered:
            self.close()

    def _refuse(self, command: Command, cause: hiredis.ReplyError) -> None:
        if self._taken is not None and self._taken(self, command, str(cause)):
            return
        if command.then is not None:
            command.then(cause)
        else:
            command.fail(self._failed(str(cause)))

    def _check(self) -> None:
        """Close a connection on which an answer is overdue and nothing moves."""
        if self._transport is None:
            return
        now = self._loop.time()
        self._pulse.has_left(self._written - self._transport.get_write_buffer_size(), now)
        oldest = self.unanswered[0] if self.unanswered else None
        if oldest is not None and self._pulse.is_gone(oldest.sent_at, oldest.patience, now):
            self._transport.abort()  # what is unsent would keep a closing socket open
        else:
            self._watch = self._loop.call_later(CHECK_S, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, who takes over what is unanswered; before the greeting is over nobody owns it."""
        self._transport = None
        if self._watch is not None:
            self._watch.cancel()
        if self.greeted:
            self._lost(self, exc)
            return
        for command in self.unanswered:
            command.fail(ConnectionResetError("it closed the connection"))

    async def settle(self, seconds: float) -> None:
        """Wait until what was asked is answered, or the time is over."""
        if self.unanswered:
            gone: asyncio.Future[Any] = self._loop.create_future()
            self.write((Command(pack("PING"), gone),))
            await asyncio.wait((gone,), timeout=seconds)
            gone.cancel()

    def retire(self) -> None:
        """Close once what is unanswered has been answered; nothing more is sent."""
        self._retired = True
        if not self.unanswered:
            self.close()

    def close(self) -> None:
        """Close the socket; `lost` follows."""
        if self._transport is not None:
            self._transport.close()

    def __repr__(self) -> str:
        return f"<Connection {'open' if self._transport else 'closed'}, {len(self.unanswered)} unanswered>"


Lost = Callable[[Connection, Exception | None], None]
Taken = Callable[[Connection, Command, str], bool]


def pack(*words: str | bytes | int) -> tuple[bytes, ...]:
    """A command as it goes over the wire."""
    return (hiredis.pack_command(words),)  # type: ignore[arg-type]  # its stub knows tuples of one only


def pack_set(key: str, value: Part, expire_s: int) -> tuple[Part, ...]:
    """`SET key value EX expire_s`, without copying the value."""
    name, ttl = key.encode(), str(expire_s).encode()
    head = b"*5\r\n$3\r\nSET\r\n$%d\r\n%b\r\n$%d\r\n" % (len(name), name, len(value))
    return head, value, b"\r\n$2\r\nEX\r\n$%d\r\n%b\r\n" % (len(ttl), ttl)


async def connect(
    address: Address, lost: Lost, failed: Callable[[str], Exception], taken: Taken | None = None
) -> Connection:
    """Open a connection and greet. Raises `OSError` (`TimeoutError` included) or what `failed` makes of a refusal."""
    loop, made = asyncio.get_running_loop(), partial(Connection, lost, failed, taken)
    async with asyncio.timeout(CONNECT_S):
        address = await locate(address)
        if address.path:
            _, link = await loop.create_unix_connection(made, address.path)
        else:
            _, link = await loop.create_connection(made, address.host, address.port, ssl=address.context())
        try:
            waiting = {words: loop.create_future() for words in address.greeting()}
            link.write(Command(pack(*words), future) for words, future in waiting.items())
            await asyncio.gather(*waiting.values())
            link.greeted = True
        except BaseException:
            link.close()
            raise
    return link
