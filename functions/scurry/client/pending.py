"""One request on its way, and its answer when it is there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator
from typing import TYPE_CHECKING

from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from scurry.client.options import Outputs


class Pending:
    """A request that was taken: await it for its outputs, now or later, once or often.

    The answer is waited for from the beginning, or (`lazy`) from when somebody first wants it.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - the protocol's own word
        model: str,
        answer: Callable[[], Awaitable[Outputs]],
        forget: Callable[[str], Awaitable[None]],
        *,
        lazy: bool = False,
    ) -> None:
        self.id = id
        self.model = model
        self._answer = answer
        self._forget = forget
        self._task: asyncio.Task[Outputs] | None = None
        if not lazy:
            self._begin()

    def done(self) -> bool:
        """Whether the answer, or a failure, is here."""
        return self._task is not None and self._task.done()

    async def result(self, timeout: float | None = None) -> Outputs:  # noqa: ASYNC109
        """The outputs, or the error the request was answered with; `deadline_exceeded` when neither comes in time.

        Who gave up may ask again.
        """
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(self._begin())
        except TimeoutError:
            raise Unavailable("deadline_exceeded", f"No answer to {self.id} came within {timeout} s.") from None

    async def cancel(self) -> None:
        """Wait no more and delete the answer. What the model has begun it finishes, for nobody."""
        self.abandon()
        await self._forget(self.id)

    def abandon(self) -> None:
        """Wait no more; the answer is kept."""
        self._begin().cancel()

    def __await__(self) -> Generator[None, None, Outputs]:
        return self.result().__await__()

    def _begin(self) -> asyncio.Task[Outputs]:
        if self._task is None:
            self._task = asyncio.ensure_future(self._wait())
            self._task.add_done_callback(_seen)
        return self._task

    async def _wait(self) -> Outputs:
        return await self._answer()

    def __repr__(self) -> str:
        state = "done" if self.done() else "waiting" if self._task is not None else "not awaited"
        return f"<Pending {self.id} to {self.model}, {state}>"


def _seen(task: asyncio.Task[Outputs]) -> None:
    """A failure that nobody asks for is no fault of the program."""
    if not task.cancelled():
        task.exception()
