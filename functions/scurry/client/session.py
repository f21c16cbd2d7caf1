"""A client's connection: opened and closed once, in one process."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
from types import TracebackType
from typing import Any, Final, Self

from scurry.client.streams import Streams
from scurry.wire.errors import Unavailable
from scurry.wire.names import Keys

COMMAND_S: Final = 5.0
PATIENCE_S: Final = 15.0
"""How long an outage of Redis is waited out."""


class _Forks:
    """How often this process was forked from another: asking the system with each request would cost more."""

    def __init__(self) -> None:
        self.count = 0
        if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
            os.register_at_fork(after_in_child=self._note)

    def _note(self) -> None:
        self.count += 1


forks: Final = _Forks()


class Session:
    """Who we are, and our door to Redis while it is open."""

    def __init__(
        self,
        url: str = "redis://127.0.0.1:6379/0",
        *,
        namespace: str = "scurry",
        name: str | None = None,
        separate_registry: bool = False,
    ) -> None:
        self._random = token = secrets.token_hex(6)
        self._token = f"{name}-{token}" if name else token
        self._numbers = itertools.count(1)
        self._url = url
        self._pid, self._forks = os.getpid(), forks.count
        self._separate_registry = separate_registry
        self.keys = Keys(namespace)
        self.name = name or token
        self._open: Streams | None = None

    async def open(self) -> Self:
        """Connect; `async with` does it."""
        self._pid, self._forks = os.getpid(), forks.count
        self._open = Streams(self._url, self.keys, self.name, self._random)
        await self._open.open()
        return self

    async def close(self) -> None:
        """Fail what is waiting and disconnect."""
        if self._open is not None:
            try:
                await self._open.close()
            finally:
                self._open = None  # who asks from now on is told so, and does not wait for an answer

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def streams(self) -> Streams:
        """The door to Redis."""
        if self._open is None:
            raise RuntimeError("The client is not open: use `async with Client(…)` or await client.open().")
        self.check_process()
        return self._open

    @property
    def partitions(self) -> int:
        """How many request streams there are, as far as is known by now."""
        return self.streams.partitions

    def check_process(self) -> None:
        """Raise `RuntimeError` in a forked process: its copy of the connection belongs to the parent."""
        if self._forks != forks.count:
            raise RuntimeError(
                f"This client was opened by process {self._pid} and this is {os.getpid()}, forked from it: "
                "open a client here. Otherwise each would read the other's replies."
            )

    async def command(self, *words: str | bytes | int, again: bool = False) -> Any:  # noqa: ANN401 - Redis' answer
        """Any other command to Redis. Raises `Unavailable` when there is no answer within seconds.

        What only reads may be asked `again` after a lost connection; a Redis that is away is waited for then.
        """
        try:
            async with asyncio.timeout(PATIENCE_S if again else COMMAND_S):
                return await self.streams.command(*words, again=again)
        except TimeoutError:
            raise Unavailable("unavailable", f"Redis at {self.streams.address} does not answer.") from None

    async def ping(self) -> None:
        """Return when Redis answers. Raises `Unavailable`."""
        await self.command("PING")

    async def job(self) -> dict[str, str]:
        """What the job wrote down of itself: `restarts`, `started`, `warning`; empty before it first began."""
        flat = await self.command("HGETALL", self.keys.job)
        texts = [bytes(part).decode(errors="replace") for part in flat]
        return dict(zip(texts[::2], texts[1::2], strict=True))

    def new_id(self) -> str:
        """An id that no other request has; it begins with the client's name, if it was given one."""
        return f"{self._token}-{next(self._numbers):x}"

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name} {self._open!r}>"
