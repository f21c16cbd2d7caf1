"""A call in no protocol's words: asked of a model, answered.

Doors (HTTP, later gRPC) make a `InferCall` of what they were sent and put the `Answer` in their own words. What holds
for every door lives here: which names can be a model's, how long to wait, how many may wait.
"""

from __future__ import annotations

import logging
from typing import Final, NamedTuple, Protocol

from scurry.client.answers import Answer
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, error
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.names import MODEL_NAME

log = logging.getLogger(__name__)

TIMEOUT: Final = "timeout"
"""Request parameter of Triton's clients: microseconds after which the answer is not wanted any more."""


class InferenceClient(Protocol):
    """What the gateway needs of `scurry.client.client.Client`."""

    async def ask(
        self,
        model: str,
        request: InferRequest,
        *,
        version: str = "",
        timeout: float = ...,  # noqa: ASYNC109 - the client's own word
        key: str = "",
        traceparent: str = "",
    ) -> Answer:
        """Send one request and await its answer. Raises `ScurryError`."""
        ...


class InferCall(NamedTuple):
    """One request for one model. The protocol's own id stays with the door, which only echoes it."""

    model: str
    request: InferRequest
    version: str = ""
    key: str = ""
    traceparent: str = ""


class Ask:
    """Asks for every door, no more at a time than `max_in_flight`, none longer than `timeout_s`."""

    def __init__(self, client: InferenceClient, *, max_in_flight: int, timeout_s: float) -> None:
        self._client = client
        self._max_in_flight = max_in_flight
        self._timeout_s = timeout_s
        self._in_flight = 0

    async def infer(self, call: InferCall) -> Answer:
        """The model's answer. Raises `ScurryError`, whatever went wrong."""
        timeout = self._timeout(call.request)
        if self._in_flight >= self._max_in_flight:
            raise error("overloaded", f"{self._in_flight} requests are in flight already: try again in a moment.")
        self._in_flight += 1
        try:
            return await self._client.ask(
                call.model,
                call.request,
                version=call.version,
                timeout=timeout,
                key=call.key,
                traceparent=call.traceparent,
            )
        except ScurryError:
            raise
        except TimeoutError:
            raise error("deadline_exceeded", f"No answer within {timeout:g} s.") from None
        except Exception as cause:
            log.exception("request failed", extra={"model": call.model})
            raise error("internal", "The gateway could not ask the model; its log tells why.") from cause
        finally:
            self._in_flight -= 1

    def _timeout(self, request: InferRequest) -> float:
        """The caller's own limit, never above ours."""
        if TIMEOUT not in request.parameters:
            return self._timeout_s
        micros = request.parameters.pop(TIMEOUT).int_value
        if micros < 0:
            raise InvalidRequest("bad_request", f"Parameter {TIMEOUT!r} must be a number of microseconds from 0.")
        return min(micros / 1e6, self._timeout_s) if micros else self._timeout_s

    def __repr__(self) -> str:
        return f"<Ask {self._in_flight} of {self._max_in_flight} in flight>"


def check_names(model: str, version: str = "") -> None:
    """Raise `NotFound` for what cannot be the name of a model or version."""
    if not MODEL_NAME.fullmatch(model):
        raise NotFound("model_not_found", f"No model can be called {model[:128]!r}.")
    if version and not MODEL_NAME.fullmatch(version):
        raise NotFound("version_not_found", f"No version of {model!r} can be called {version[:128]!r}.")
