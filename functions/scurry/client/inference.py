"""Models asked with arrays: once, for later, and many times."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Unpack

from scurry.client.attempts import persist
from scurry.client.pending import Pending
from scurry.client.readiness import ReadinessProbe
from scurry.wire.errors import Unavailable

if TYPE_CHECKING:
    from scurry.client.options import InferOptions, Inputs, Outputs, StreamOptions
    from scurry.client.streaming import StreamReply


class ModelCaller(ReadinessProbe):
    """Asks with arrays, gets arrays."""

    _retries = 0

    async def infer(
        self,
        model: str,
        inputs: Inputs,
        *,
        version: str = "",
        outputs: Sequence[str] = (),
        id: str = "",  # noqa: A002 - the protocol's own word
        timeout: float = 30.0,  # noqa: ASYNC109 - also the deadline that the job keeps
        key: str = "",
        keep: int | None = None,
        parameters: Mapping[str, bool | int | float | str] | None = None,
        bulk: bool = False,
        priority: int = 0,
        tenant: str = "",
        retries: int | None = None,
    ) -> Outputs:
        """Ask with arrays, get arrays: one for each output, or each of `outputs`. `bulk` waits for room.

        What is refused is asked again up to `retries` times under the same id, within `timeout`.
        """
        tries = self._retries if retries is None else retries
        send = await self._prepare(
            model, inputs, version=version, outputs=outputs, id=id, timeout=timeout, key=key, keep=keep,
            parameters=parameters, bulk=bulk, priority=priority, tenant=tenant, again=tries > 0,
        )  # fmt: skip
        return await (persist(send, retries=tries, timeout=timeout) if tries else send(timeout))

    async def start(self, model: str, inputs: Inputs, **options: Unpack[InferOptions]) -> Pending:
        """Ask as `infer` does and return once the request is taken: await what is returned for the outputs.

        The answer is kept: `result(id)` of any client reads it, for as long as `keep` says.
        """
        options["id"] = options.get("id") or self.new_id()
        tries, timeout = self._tries(options), options.get("timeout", 30.0)
        send = await self._prepare(model, inputs, **options)
        pending = Pending(options["id"], model, lambda: persist(send, retries=tries, timeout=timeout), self.forget)
        try:
            async with asyncio.timeout(timeout):
                await asyncio.sleep(0)  # it is sent
                await self.command("PING", again=True)  # answered after it
        except TimeoutError:
            pending.abandon()
            raise Unavailable("unavailable", f"Redis did not take {options['id']} within {timeout} s.") from None
        except BaseException:
            pending.abandon()
            raise
        return pending

    async def stream(
        self,
        model: str,
        inputs: Iterable[Inputs] | AsyncIterable[Inputs],
        *,
        in_flight: int = 64,
        ordered: bool = True,
        raise_errors: bool = False,
        **options: Unpack[StreamOptions],
    ) -> AsyncGenerator[StreamReply, None]:
        """Ask for each of many inputs, `in_flight` at a time, and give the answers in order, or as they come.

        The next input is taken when an answer was. A failure is the answer to its own input, unless `raise_errors`.
        """
        from scurry.client.streaming import Flight, check_in_flight  # noqa: PLC0415 - only for those who use it

        check_in_flight(in_flight)
        flight = Flight[Any](lambda one: self.infer(model, one, **options), in_flight=in_flight, ordered=ordered)
        async with contextlib.aclosing(flight.replies(inputs)) as replies:
            async for reply in replies:
                if raise_errors and reply.error is not None:
                    raise reply.error
                yield reply

    def _tries(self, options: InferOptions) -> int:
        tries = options.pop("retries", None)
        return self._retries if tries is None else tries
