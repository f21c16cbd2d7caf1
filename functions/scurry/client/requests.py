"""Requests as messages and as bytes, over Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Unpack

from scurry.client.answers import Answer, AnswerReader
from scurry.client.bodies import KeyOf, Parameters, Parked, digest_of, park
from scurry.client.signatures import Signatures
from scurry.client.waiting import Fields
from scurry.wire.infer_pb2 import InferRequest

if TYPE_CHECKING:
    from scurry.client.options import InferOptions, Inputs, Outputs


class RequestSender(AnswerReader):
    """Sends requests, awaits their replies."""

    def __init__(self, url: str, **options: Any) -> None:  # noqa: ANN401 - as `Session` takes them
        super().__init__(url, **options)
        self._signatures = Signatures(self)

    async def _prepare(
        self, model: str, inputs: Inputs, *, again: bool = False, **options: Unpack[InferOptions]  # noqa: ARG002
    ) -> Callable[[float], Awaitable[Outputs]]:
        """What sends a request with these arrays each time it is called, and waits so many seconds for the outputs.

        It may be called `again` after a refusal; over Redis every request has an id that makes it the same one.
        """
        from scurry.client.arrays import unpack  # noqa: PLC0415 - numpy only for those who use it

        version, given = options.get("version", ""), options.get("id", "")
        request_id, keep = given or self.new_id(), self._keep(given, options.get("keep"))
        request, parked = await self._pack(
            model, version, inputs, options.get("outputs", ()), options.get("parameters"),
            self._key_of(request_id, given),
        )  # fmt: skip
        body = request.SerializeToString()

        async def send(left: float) -> Outputs:
            future = self.submit(
                model, body, version=version, id=request_id, timeout=left, keep=keep, parked=parked,
                key=options.get("key", ""), bulk=options.get("bulk", False), priority=options.get("priority", 0),
                tenant=options.get("tenant", ""),
            )  # fmt: skip
            return unpack((await self.read(await future, forget=keep == 0)).reply)

        return send

    async def _pack(  # noqa: PLR0917 - what a request is made of
        self,
        model: str,
        version: str,
        inputs: Inputs,
        outputs: Sequence[str],
        parameters: Parameters | None,
        key_of: KeyOf,
    ) -> tuple[InferRequest, Parked]:
        """A request with arrays in the types that the model takes; large ones beside it."""
        from scurry.client import arrays  # noqa: PLC0415

        named = inputs if isinstance(inputs, Mapping) else {await self._signatures.only_input(model, version): inputs}
        known = await self._signatures.datatypes(model, version) if arrays.is_unsure(named) else {}
        return arrays.pack(named, outputs, key_of, known, parameters or {})

    async def ask(
        self,
        model: str,
        request: InferRequest,
        *,
        version: str = "",
        id: str = "",  # noqa: A002
        timeout: float = 30.0,  # noqa: ASYNC109
        key: str = "",
        keep: int | None = None,
        traceparent: str = "",
        priority: int = 0,
        tenant: str = "",
    ) -> Answer:
        """Ask with a message, get a message. `request` is not changed."""
        request_id = id or self.new_id()
        light, parked = park(request, self._key_of(request_id, id))
        keep = self._keep(id, keep)
        future = self.submit(
            model, light.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            traceparent=traceparent, priority=priority, tenant=tenant, parked=parked,
        )  # fmt: skip
        return await self.read(await future, forget=keep == 0)

    def submit(
        self,
        model: str,
        body: bytes,
        *,
        encoding: Literal["request", "inputs"] = "request",
        version: str = "",
        id: str = "",  # noqa: A002
        timeout: float = 30.0,
        key: str = "",
        keep: int | None = None,
        traceparent: str = "",
        priority: int = 0,
        tenant: str = "",
        parked: Parked | None = None,
        bulk: bool = False,
    ) -> asyncio.Future[Fields]:
        """Send a body as it is; the future gets the raw fields of the reply, whether its status is ok or error."""
        fields = ("model", model, encoding, body, *(("version", version) if version else ()))
        options = ["deadline", str(int((time.time() + timeout) * 1000))]
        keep = self._keep(id, keep)
        if keep is not None:
            options += ("keep", str(keep))
        for name, value in (("key", key), ("traceparent", traceparent), ("priority", priority), ("tenant", tenant)):
            options += (name, str(value)) if value else ()
        stream = self.keys.bulk if bulk else self.streams.requests(model)
        named, own = id or self.new_id(), keep == 0
        return self.streams.send(stream, fields, named, timeout, parked or (), options=options, own=own)

    def _key_of(self, request_id: str, given: str) -> KeyOf:
        """Under an id that was given, other bytes lie under another key: they are another body, and leave the first."""
        return lambda name, data: self.keys.payload_in(request_id, name, digest_of(data) if given else "")

    @staticmethod
    def _keep(id: str, keep: int | None) -> int | None:  # noqa: A002
        """Nobody else knows an id that we made, so nobody will ask for its result."""
        return 0 if keep is None and not id else keep
