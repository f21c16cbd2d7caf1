"""Ask a model, await its answer."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final, Literal

from scurry.client.answers import Answer, AnswerReader
from scurry.client.bodies import KeyOf, Parameters, Parked, digest_of, park
from scurry.client.registry import signature_of
from scurry.client.waiting import Fields
from scurry.wire.errors import Unavailable
from scurry.wire.infer_pb2 import InferRequest

if TYPE_CHECKING:
    import numpy.typing as npt

    from scurry.wire.tensors import Array

SIGNATURE_S: Final = 10.0
"""How long a model's signature is remembered."""
SIGNATURES: Final = 1024


class Client(AnswerReader):
    """A caller of models, over Redis.

        async with Client("redis://127.0.0.1:6379/0") as client:
            outputs = await client.infer("digits", {"image": image})

    Every failure is a `ScurryError` with a code. A request sent again under its own `id` gets the first answer again.
    """

    def __init__(
        self,
        redis_url: str = "redis://127.0.0.1:6379/0",
        *,
        namespace: str = "scurry",
        name: str | None = None,
        separate_registry: bool = False,
    ) -> None:
        super().__init__(redis_url, namespace=namespace, name=name, separate_registry=separate_registry)
        self._signatures: dict[tuple[str, str], tuple[Mapping[str, str], float]] = {}

    async def infer(
        self,
        model: str,
        inputs: Mapping[str, npt.ArrayLike],
        *,
        version: str = "",
        outputs: Sequence[str] = (),
        id: str = "",  # noqa: A002 - the protocol's own word
        timeout: float = 30.0,  # noqa: ASYNC109 - also the deadline that the job keeps
        key: str = "",
        keep: int | None = None,
        parameters: Parameters | None = None,
    ) -> dict[str, Array]:
        """Ask with arrays, get arrays: one for each output, or for each of `outputs`."""
        from scurry.client import arrays  # noqa: PLC0415 - numpy only for those who use it

        request_id = id or self.new_id()
        known = await self._datatypes(model, version) if arrays.is_unsure(inputs) else {}
        request, parked = arrays.pack(inputs, outputs, self._key_of(request_id, id), known, parameters)
        keep = self._keep(id, keep)
        future = self.submit(
            model, request.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            parked=parked,
        )  # fmt: skip
        return arrays.unpack((await self.read(await future, forget=keep == 0)).reply)

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
    ) -> Answer:
        """Ask with a message, get a message. `request` is not changed."""
        request_id = id or self.new_id()
        light, parked = park(request, self._key_of(request_id, id))
        keep = self._keep(id, keep)
        future = self.submit(
            model, light.SerializeToString(), version=version, id=request_id, timeout=timeout, key=key, keep=keep,
            traceparent=traceparent, parked=parked,
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
        parked: Parked | None = None,
    ) -> asyncio.Future[Fields]:
        """Send a body as it is; the future gets the raw fields of the reply, whether its status is ok or error."""
        fields = ("model", model, encoding, body, *(("version", version) if version else ()))
        options = ["deadline", str(int((time.time() + timeout) * 1000))]
        keep = self._keep(id, keep)
        if keep is not None:
            options += ("keep", str(keep))
        if key:
            options += ("key", key)
        if traceparent:
            options += ("traceparent", traceparent)
        stream = self.streams.requests(model)
        return self.streams.send(
            stream, fields, id or self.new_id(), timeout, parked or (), options=options, own=keep == 0
        )

    async def _datatypes(self, model: str, version: str) -> Mapping[str, str]:
        """The model's inputs with their data types, so far as the registry shows them; looked up every so often."""
        now = time.monotonic()
        known, at = self._signatures.get((model, version), ({}, -SIGNATURE_S))
        if now - at >= SIGNATURE_S:
            try:
                signature = signature_of(await self.record(model) or {}, version) or {}
            except Unavailable:  # the request itself waits until Redis is back
                return {}
            known = {port["name"]: port["datatype"] for port in signature.get("inputs", ())}
            if len(self._signatures) >= SIGNATURES:
                self._signatures.clear()
            self._signatures[model, version] = known, now
        return known

    def _key_of(self, request_id: str, given: str) -> KeyOf:
        """Under an id that was given, other bytes lie under another key: they are another body, and leave the first."""
        return lambda name, data: self.keys.payload_in(request_id, name, digest_of(data) if given else "")

    @staticmethod
    def _keep(id: str, keep: int | None) -> int | None:  # noqa: A002
        """Nobody else knows an id that we made, so nobody will ask for its result."""
        return 0 if keep is None and not id else keep
