"""Ask a model, await its answer."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import os
from collections.abc import AsyncGenerator, AsyncIterable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self, Unpack

from scurry.client.attempts import persist
from scurry.client.pending import Pending
from scurry.client.readiness import ReadinessProbe
from scurry.wire.errors import InvalidRequest

if TYPE_CHECKING:
    from scurry.client.admin import Registry
    from scurry.client.options import InferOptions, Inputs, Outputs, StreamOptions
    from scurry.client.streaming import StreamReply


class Client(ReadinessProbe):
    """A caller of models, over Redis or HTTP as its URL says.

        async with Client("redis://127.0.0.1:6379/0") as client:
            outputs = await client.infer("digits", {"image": image})

    Every failure is a `ScurryError` with a code. A request sent again under its own `id` gets the first answer again.
    A URL that begins with `http` is a gateway's: then the client is an `HttpClient`, which has the same methods.
    """

    def __new__(cls, url: str = "", *_: object, **__: object) -> Self:
        """As `pathlib.Path` does: the class that fits."""
        if cls is Client and url.startswith(("http://", "https://")):
            from scurry.client.http_client import HttpClient  # noqa: PLC0415 - aiohttp only for those who use it

            return super().__new__(HttpClient)  # type: ignore[return-value] # it is a subclass
        return super().__new__(cls)

    def __init__(
        self,
        url: str = "redis://127.0.0.1:6379/0",
        *,
        namespace: str = "scurry",
        name: str | None = None,
        separate_registry: bool = False,
        retries: int = 0,
        api_key: str = "",
        admin_key: str = "",
        connections: int = 100,
    ) -> None:
        super().__init__(url, namespace=namespace, name=name, separate_registry=separate_registry)
        self._options: dict[str, Any] = {
            "namespace": namespace, "name": name, "separate_registry": separate_registry, "retries": retries,
            "api_key": api_key, "admin_key": admin_key, "connections": connections,
        }  # fmt: skip
        self._retries = retries

    @classmethod
    def from_env(cls, **options: Any) -> Client:  # noqa: ANN401 - as the constructor takes them
        """A client as the environment says: `SCURRY_URL`, else `SCURRY_REDIS_URL`, and what belongs to it."""
        from scurry.settings import client_options  # noqa: PLC0415 - only for those who use it

        return cls(**(client_options(os.environ) | options))

    @property
    def registry(self) -> Registry:
        """What changes models: register, split, promote, …"""
        from scurry.client.admin import Registry  # noqa: PLC0415 - only for those who use it

        return Registry(self)

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
            await asyncio.sleep(0)  # it is sent
            await self.command("PING", again=True)  # answered after it
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
        from scurry.client.streaming import Flight  # noqa: PLC0415 - only for those who use it

        if in_flight < 1:
            raise InvalidRequest("bad_request", f"in_flight must be a whole number from 1, not {in_flight}.")
        flight = Flight[Any](lambda one: self.infer(model, one, **options), in_flight=in_flight, ordered=ordered)
        async with contextlib.aclosing(flight.replies(inputs)) as replies:
            async for reply in replies:
                if raise_errors and reply.error is not None:
                    raise reply.error
                yield reply

    def _tries(self, options: InferOptions) -> int:
        tries = options.pop("retries", None)
        return self._retries if tries is None else tries

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy in another process is a client of its own, to be opened there."""
        return functools.partial(Client, self._url, **self._options), ()
