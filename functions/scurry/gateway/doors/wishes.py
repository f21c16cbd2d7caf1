"""What a request asks for beside an answer, by its headers or metadata.

`Prefer: respond-async` (RFC 7240, with `wait=N` if the answer is wanted at once when it comes so soon),
`Idempotency-Key`, and `Scurry-Callback` with the URL to which the result is to be sent. A door that infers honours
them or refuses them by their names: a caller who believes that a retry is safe must be right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from multidict import MultiMapping

from scurry.gateway.doors.heads import Head
from scurry.wire.errors import InvalidRequest

KEY: Final = "Idempotency-Key"
KEY_OF_CALL: Final = "idempotency-key"
"""gRPC's metadata with a key, which means there what the header means."""
CALLBACK: Final = "Scurry-Callback"
LATER: Final = "Prefer: respond-async"
NO_RESULTS: Final = "no results are kept."
"""Why a gateway without `Results` honours none."""


class Wishes(NamedTuple):
    """What a caller wants."""

    later: bool = False
    wait_s: float = 0.0
    key: str = ""
    callback: str = ""

    @property
    def any(self) -> bool:
        """Whether it is more than to wait for an answer."""
        return self.later or bool(self.key)


def wishes_of(headers: Mapping[str, str]) -> Wishes:
    """The wishes in headers; a preference that means nothing here is passed over. Raises `InvalidRequest`."""
    preferences = dict(map(_preference, reversed(",".join(_all(headers, "Prefer")).split(","))))  # the first one counts
    later, key, callback = "respond-async" in preferences, _one(headers, KEY), _one(headers, CALLBACK)
    if KEY in headers and not key:
        raise InvalidRequest("bad_request", f"Header {KEY} is empty.")
    if callback and not later:
        raise InvalidRequest("bad_request", f"Header {CALLBACK} needs {LATER}.")
    wait = preferences.get("wait", "")
    return Wishes(later, float(wait) if _is_number(wait) else 0.0, key, callback)


def wishes_more(head: Head) -> bool:
    """Whether an inference is to be answered later, or once for a key. Raises `InvalidRequest`."""
    return head.wishes and wishes_of(head.headers).any


def refuse_wishes(headers: Mapping[str, str], reason: str) -> None:
    """Raise `not_offered` for the first header of a wish, with the reason why it is not honoured here."""
    wishes = wishes_of(headers)
    if wishes.any:
        raise InvalidRequest("not_offered", f"Header {LATER if wishes.later else KEY} is not offered here: {reason}")


def _all(headers: Mapping[str, str], name: str) -> Sequence[str]:
    """Every line of a header: a list may be spread over several."""
    if isinstance(headers, MultiMapping):
        return headers.getall(name, [])
    return [headers[name]] if name in headers else []


def _one(headers: Mapping[str, str], name: str) -> str:
    lines = {line.strip() for line in _all(headers, name)}
    if len(lines) > 1:
        raise InvalidRequest("bad_request", f"Header {name} is there twice, with different values.")
    return next(iter(lines), "")


def _preference(text: str) -> tuple[str, str]:
    """Name and value, without parameters and quotes."""
    name, _, value = text.partition(";")[0].partition("=")
    return name.strip().lower(), value.strip().strip('"')


def key_of(metadata: Mapping[str, str]) -> str:
    """The key of a gRPC call that has wishes. Raises `InvalidRequest` for those that only HTTP grants."""
    for name in ("prefer", CALLBACK.lower()):
        if name in metadata:
            sentence = f"Metadata {name!r} is not for gRPC: a result for later is asked for over HTTP."
            raise InvalidRequest("not_offered", sentence)
    key = metadata.get(KEY_OF_CALL, "").strip()
    if not key:
        raise InvalidRequest("bad_request", f"Metadata {KEY_OF_CALL!r} is empty.")
    return key


def refusal_of_stream(metadata: Mapping[str, str]) -> InvalidRequest:
    """Why a stream has no wishes granted."""
    try:
        key_of(metadata)
    except InvalidRequest as cause:
        return cause
    sentence = f"Metadata {KEY_OF_CALL!r} is for one request, a stream has many: use ModelInfer."
    return InvalidRequest("not_offered", sentence)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 7
