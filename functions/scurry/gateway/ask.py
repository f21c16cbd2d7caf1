"""A call in no protocol's words: asked of a model, answered.

Doors (HTTP, later gRPC) make an `InferCall` of what they were sent and put the `Answer` in their own words. What holds
for every door lives here: which names can be a model's, how long to wait, how many may wait.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, Protocol

from scurry.client.answers import Answer
from scurry.client.bodies import Parked
from scurry.client.waiting import Fields
from scurry.gateway.limits import NO_LIMITS, TenantsInFlight, TensorLimits
from scurry.gateway.spans import CallSpan
from scurry.telemetry.tracing import Tracing
from scurry.wire.errors import InvalidRequest, NotFound, ScurryError, error
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.names import MODEL_NAME, Keys

log = logging.getLogger(__name__)

NOBODY: Final = frozenset({"model_not_found", "version_not_found"})
"""Codes for a model or version that is not there."""
TIMEOUT: Final = "timeout"
"""Request parameter of Triton's clients: microseconds after which the answer is not wanted any more."""
PRIORITY: Final = "priority"
"""Request parameter of Triton's clients: 1 is the highest, 0 the model's default."""


class InferenceClient(Protocol):
    """What the gateway needs of `scurry.client.client.Client`."""

    keys: Keys

    def new_id(self) -> str:
        """An id that no other request has."""
        ...

    def submit(
        self,
        model: str,
        body: bytes,
        *,
        encoding: Literal["request", "inputs"] = ...,
        version: str = "",
        id: str = "",  # noqa: A002 - the client's own word
        timeout: float = ...,
        key: str = "",
        keep: int | None = None,
        traceparent: str = "",
        priority: int = 0,
        tenant: str = "",
        parked: Parked | None = None,
    ) -> asyncio.Future[Fields]:
        """Send one request; the future gets the raw fields of its reply. Raises `ScurryError`."""
        ...

    async def read(self, fields: Fields, *, forget: bool = False) -> Answer:
        """The answer in them, what of it is parked fetched. Raises `ScurryError`."""
        ...


class ProbingClient(Protocol):
    """What it takes to see by a request whether the job answers."""

    async def ask(
        self, model: str, request: InferRequest, *, version: str = "", timeout: float = ...  # noqa: ASYNC109
    ) -> Answer:
        """Send one request and await its answer. Raises `ScurryError`."""
        ...


class InferCall(NamedTuple):
    """One request for one model. The protocol's own id stays with the door, which only echoes it."""

    model: str
    id: str
    body: bytes  # an InferRequest
    parked: Parked
    version: str = ""
    key: str = ""
    traceparent: str = ""
    timeout_us: int = 0  # 0: as long as we wait for anybody
    priority: int = 0
    tenant: str = ""
    keep: int = 0  # seconds; nobody else knows its id, unless the caller chose a key


class Ask:
    """Asks for every door, no more at a time than `max_in_flight`, none longer than `timeout_s`."""

    def __init__(
        self, client: InferenceClient, *, max_in_flight: int, timeout_s: float, max_in_flight_each: int = 0,
        most: TensorLimits = NO_LIMITS, tracing: Tracing | None = None,
    ) -> None:  # fmt: skip
        self._most = most
        self._each = TenantsInFlight(max_in_flight_each)
        self._client, self._tracing = client, tracing
        self._max_in_flight = max_in_flight
        self._timeout_s = timeout_s
        self._in_flight = 0
        self.new_id = client.new_id
        self.payload_key = client.keys.payload_in

    @property
    def in_flight(self) -> int:
        """Calls that wait for their answer."""
        return self._in_flight

    def submit(self, call: InferCall) -> asyncio.Future[Fields]:
        """Send a call; the future gets the fields of its reply. Raises `ScurryError`."""
        if self._in_flight >= self._max_in_flight:
            raise error("overloaded", f"{self._in_flight} requests are in flight already: try again in a moment.")
        if self._each.limit and call.tenant:
            self._each.check(call.tenant)
        most, wanted = self._timeout_s, call.timeout_us / 1e6
        traceparent, span = call.traceparent, None
        if self._tracing is not None and self._tracing.wants(traceparent):
            span = CallSpan(self._tracing, call.model, call.id, traceparent)
            traceparent = span.traceparent
        future = self._client.submit(
            call.model,
            call.body,
            version=call.version,
            id=call.id,
            timeout=min(wanted, most) if wanted else most,
            key=call.key,
            keep=call.keep,
            traceparent=traceparent,
            priority=call.priority,
            tenant=call.tenant,
            parked=call.parked,
        )
        self._in_flight += 1
        future.add_done_callback(self._leave)
        if span is not None:
            future.add_done_callback(span)
        if self._each.limit and call.tenant:
            future.add_done_callback(self._each.entered(call.tenant))
        return future

    def take(self, request: InferRequest, sizes: Iterable[int] | None = None) -> tuple[int, int]:
        """Hold what a door has read against the limits; returns time-out (µs) and priority, which travel beside it.

        `sizes` are the bytes of the inputs where their tensors do not hold them. Raises `too_large` or `bad_request`.
        """
        self._most.check(request, sizes)
        return take_timeout(request), take_priority(request)

    async def read(self, fields: Fields) -> Answer:
        """The answer in the fields of a reply, what of it is parked fetched. Raises `ScurryError`."""
        return await self._client.read(fields, forget=True)

    def _leave(self, _: object) -> None:
        self._in_flight -= 1

    def __repr__(self) -> str:
        return f"<Ask {self._in_flight} of {self._max_in_flight} in flight>"


def told(cause: BaseException, model: str = "", version: str = "") -> ScurryError:
    """What a caller is told of whatever went wrong; of a model that is not there, as Triton's callers expect it."""
    if isinstance(cause, ScurryError):
        if model and cause.code in NOBODY and cause.message.startswith(("No model ", "No version ")):
            which = f"'{model}' version {version}" if version else f"'{model}'"
            return error(cause.code, f"Request for unknown model: {which} is not found. {cause.message}")
        return cause
    log.error("request failed", exc_info=cause)
    return error("internal", "The gateway could not ask the model; its log tells why.")


def take_timeout(request: InferRequest) -> int:
    """The caller's own limit in microseconds, which does not travel on; 0 without one. Raises `InvalidRequest`."""
    if TIMEOUT not in request.parameters:
        return 0
    given = request.parameters.pop(TIMEOUT)
    if given.WhichOneof("value") != "int_value" or given.int_value < 0:
        raise InvalidRequest("bad_request", f"Parameter {TIMEOUT!r} must be a whole number of microseconds from 0.")
    return int(given.int_value)


def take_priority(request: InferRequest) -> int:
    """The caller's priority, which travels beside the request; 0 without one. Raises `InvalidRequest`."""
    if PRIORITY not in request.parameters:
        return 0
    given = request.parameters.pop(PRIORITY)
    if given.WhichOneof("value") != "int_value" or not 0 <= given.int_value < 2**31:
        raise InvalidRequest("bad_request", f"Parameter {PRIORITY!r} must be a whole number from 0.")
    return int(given.int_value)


def check_names(model: str, version: str = "") -> None:
    """Raise `NotFound` for what cannot be the name of a model or version."""
    if not MODEL_NAME.fullmatch(model):
        raise NotFound("model_not_found", f"No model can be called {model[:128]!r}.")
    if version and not MODEL_NAME.fullmatch(version):
        raise NotFound("version_not_found", f"No version of {model!r} can be called {version[:128]!r}.")
