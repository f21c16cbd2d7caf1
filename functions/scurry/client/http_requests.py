"""Requests over HTTP: path, headers and body, made once for every try."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from scurry.client.answers import Answer
from scurry.protocols.oip_binary import HEADER
from scurry.protocols.oip_calls import CallAnswer, decode_answer, encode_call
from scurry.wire.errors import InvalidRequest
from scurry.wire.tensors import from_bytes

if TYPE_CHECKING:
    from scurry.client.bodies import Parked
    from scurry.client.http_link import HttpAnswer
    from scurry.client.options import Outputs
    from scurry.wire.infer_pb2 import InferRequest

IDEMPOTENCY: Final = "Idempotency-Key"
_HEADERS: Final = {"id": IDEMPOTENCY, "key": "Scurry-Key", "tenant": "X-Scurry-Tenant", "traceparent": "traceparent"}


@dataclass(frozen=True, slots=True)
class HttpCall:
    """A request for a model, ready to be sent, and sent again."""

    path: str
    headers: Mapping[str, str]
    parts: list[bytes | memoryview] = field(repr=False)


def call_of(
    model: str,
    version: str,
    request: InferRequest,
    parked: Parked = (),
    *,
    timeout: float,
    priority: int = 0,
    headers: Mapping[str, str],
    **told: str,
) -> HttpCall:
    """A request in HTTP's words; the time-out stays what it was in each try, as the whole body does."""
    beside = {"timeout": max(int(timeout * 1e6), 1), **({"priority": priority} if priority else {})}
    json, tail = encode_call(request, dict(parked), beside)
    lines = {_HEADERS[name]: _checked(name, value) for name, value in told.items() if value}
    own = {HEADER: str(len(json)), "Content-Type": "application/octet-stream"}
    return HttpCall(f"{model_path(model, version)}/infer", {**headers, **own, **lines}, [json, *tail])


def model_path(model: str, version: str = "") -> str:
    """Where a model, or a version of it, lives."""
    path = f"/v2/models/{quote(model, safe='')}"
    return f"{path}/versions/{quote(version, safe='')}" if version else path


def check_offered(keep: int | None, *, bulk: bool) -> None:
    """Raise `not_offered` for what a gateway cannot be told."""
    if bulk:
        raise InvalidRequest("not_offered", "A gateway takes no bulk requests: use stream(), or a redis:// URL.")
    if keep:
        sentence = "A gateway decides itself how long it keeps an answer: leave keep out, or use a redis:// URL."
        raise InvalidRequest("not_offered", sentence)


def read_answer(answer: HttpAnswer) -> CallAnswer:
    """What a response says. Raises `Failed` for what is no answer."""
    return decode_answer(answer.body, answer.headers.get(HEADER))


def arrays_of(answer: HttpAnswer) -> Outputs:
    """The outputs in a response as arrays over its bytes."""
    return {one.name: from_bytes(*one) for one in read_answer(answer).outputs}


def message_of(answer: HttpAnswer) -> Answer:
    """A response as a message."""
    read = read_answer(answer)
    return Answer(read.model, read.version, read.reply())


def _checked(name: str, value: str) -> str:
    if value.isascii() and value.isprintable():
        return value
    raise InvalidRequest("bad_request", f"{name} is sent as a header and must be printable ASCII, not {value[:64]!r}.")
