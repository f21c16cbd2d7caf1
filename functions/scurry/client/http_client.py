"""The client over HTTP: a gateway's Open Inference Protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Final, Unpack
from urllib.parse import quote

from scurry.client.answers import FIRST_LOOK_S, LOOK_S, Answer
from scurry.client.attempts import persist
from scurry.client.http_link import ConnectionLost
from scurry.client.http_requests import HttpCall, arrays_of, call_of, check_offered, message_of
from scurry.client.http_session import ASK_S, HttpSession
from scurry.client.pending import Pending
from scurry.wire.errors import NotFound, Unavailable
from scurry.wire.infer_pb2 import InferRequest

if TYPE_CHECKING:
    from scurry.client.http_link import HttpAnswer
    from scurry.client.options import InferOptions, Inputs, Outputs

WAIT_S: Final = 30.0
"""Seconds that one look at a result may wait at the gateway."""
_NOTHING: Final[Mapping[str, str]] = {}


class HttpClient(HttpSession):
    """A caller of models, over HTTP. `Client(url)` makes one when the URL is a gateway's."""

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
        check_offered(keep, bulk=False)
        call = call_of(
            model, version, request, timeout=timeout, priority=priority, headers=self._headers,
            id=id, key=key, traceparent=traceparent, tenant=tenant,
        )  # fmt: skip
        return message_of(await self._post(call, timeout))

    async def _prepare(
        self, model: str, inputs: Inputs, *, again: bool = False, **options: Unpack[InferOptions]
    ) -> Callable[[float], Awaitable[Outputs]]:
        call = await self._call(model, inputs, options, again=again)

        async def send(left: float) -> Outputs:
            return arrays_of(await self._post(call, left))

        return send

    async def start(self, model: str, inputs: Inputs, **options: Unpack[InferOptions]) -> Pending:
        """Ask as `infer` does and return once the gateway took the request: await what is returned for the outputs."""
        tries, timeout = self._tries(options), options.get("timeout", 30.0)
        end = time.monotonic() + timeout
        call = await self._call(model, inputs, options, again=tries > 0, wanted={"Prefer": "respond-async"})
        taken = await persist(lambda left: self._post(call, left), retries=tries, timeout=timeout)
        if taken.status != HTTPStatus.ACCEPTED:  # a gateway that answers at once
            return Pending(options.get("id") or self.new_id(), model, lambda: _now(taken), self.forget)
        request_id = str(json.loads(taken.body)["id"])

        async def outputs() -> Outputs:
            answer = await self._look(request_id, max(end - time.monotonic(), 0))
            if answer is None:
                raise Unavailable("deadline_exceeded", f"No answer to {request_id} came within {timeout} s.")
            return arrays_of(answer)

        return Pending(request_id, model, outputs, self.forget, lazy=True)

    async def result(self, id: str, *, wait: float = 0.0) -> Answer:  # noqa: A002
        """The kept answer to a request that was started, waited for so many seconds.

        Raises `result_not_found`, also while it is under way, or the error it was answered with.
        """
        answer = await self._look(id, wait)
        if answer is None:
            raise NotFound("result_not_found", f"The request {id!r} is under way and was not answered yet.")
        return message_of(answer)

    async def forget(self, id: str) -> None:  # noqa: A002
        """Delete the kept answer to a request, if there is one."""
        with contextlib.suppress(NotFound):
            await self.link.call("DELETE", _result(id), headers=self._headers, timeout=ASK_S)

    async def _look(self, request_id: str, wait: float) -> HttpAnswer | None:
        """The answer within so many seconds; None while it is under way."""
        end, pause = time.monotonic() + wait, FIRST_LOOK_S
        while True:
            left = max(end - time.monotonic(), 0)
            asked = min(left, WAIT_S)
            path = _result(request_id) + (f"?wait={asked:.2f}" if asked else "")
            try:
                answer = await self.link.call("GET", path, headers=self._headers, timeout=asked + ASK_S)
                if answer.status != HTTPStatus.ACCEPTED:
                    return answer
            except ConnectionLost:  # the result is not: another gateway, or the next, tells it
                if time.monotonic() >= end:
                    raise
            if time.monotonic() >= end:
                return None
            await asyncio.sleep(min(pause, left))
            pause = min(2 * pause, LOOK_S)

    async def _call(
        self, model: str, inputs: Inputs, options: InferOptions, *, again: bool, wanted: Mapping[str, str] = _NOTHING
    ) -> HttpCall:
        """What is sent for a request; one that may be sent `again` has an id."""
        check_offered(options.get("keep"), bulk=options.get("bulk", False))
        version, outputs = options.get("version", ""), options.get("outputs", ())
        request, apart = await self._pack(model, version, inputs, outputs, options.get("parameters"), _own_name)
        return call_of(
            model, version, request, apart, timeout=options.get("timeout", 30.0), priority=options.get("priority", 0),
            headers={**self._headers, **wanted}, id=options.get("id") or (self.new_id() if again else ""),
            key=options.get("key", ""), tenant=options.get("tenant", ""),
        )  # fmt: skip

    async def _post(self, call: HttpCall, left: float) -> HttpAnswer:
        return await self.link.call("POST", call.path, headers=call.headers, parts=call.parts, timeout=left)


def _own_name(name: str, _: bytes) -> str:
    """Large tensors stay beside the message, under their own name."""
    return name


def _result(request_id: str) -> str:
    return f"/v2/results/{quote(request_id, safe='')}"


async def _now(answer: HttpAnswer) -> Outputs:
    return arrays_of(answer)
