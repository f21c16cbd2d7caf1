"""What a request asks for beside an answer, by its headers or metadata.

`Prefer: respond-async` (RFC 7240, with `wait=N` if the answer is wanted at once when it comes so soon),
`Idempotency-Key`, and `Scurry-Callback` with the URL to which the result is to be sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from scurry.wire.errors import InvalidRequest

CALLBACK: Final = "Scurry-Callback"
KEY: Final = "idempotency-key"
"""gRPC's metadata with a key, which means there what it means over HTTP."""


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
    preferences = [part.strip().lower() for part in headers.get("Prefer", "").split(",")]
    later, callback = "respond-async" in preferences, headers.get(CALLBACK, "")
    waits = [part.partition("=")[2].strip() for part in preferences if part.partition("=")[0].strip() == "wait"]
    key = headers.get("Idempotency-Key", "").strip()
    if "Idempotency-Key" in headers and not key:
        raise InvalidRequest("bad_request", "Header Idempotency-Key is empty.")
    if callback and not later:
        raise InvalidRequest("bad_request", f"Header {CALLBACK} needs Prefer: respond-async.")
    return Wishes(later, float(waits[0]) if waits and _is_number(waits[0]) else 0.0, key, callback)


def key_of(metadata: Mapping[str, str]) -> str:
    """The key of a gRPC call that has wishes. Raises `InvalidRequest` for those that only HTTP grants."""
    for name in ("prefer", CALLBACK.lower()):
        if name in metadata:
            sentence = f"Metadata {name!r} is not for gRPC: a result for later is asked for over HTTP."
            raise InvalidRequest("not_offered", sentence)
    key = metadata.get(KEY, "").strip()
    if not key:
        raise InvalidRequest("bad_request", f"Metadata {KEY!r} is empty.")
    return key


def refusal_of_stream(metadata: Mapping[str, str]) -> InvalidRequest:
    """Why a stream has no wishes granted."""
    try:
        key_of(metadata)
    except InvalidRequest as cause:
        return cause
    return InvalidRequest("not_offered", f"Metadata {KEY!r} is for one request, a stream has many: use ModelInfer.")


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 7
