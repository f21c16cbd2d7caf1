"""gRPC over HTTP/2: paths, time-outs, statuses, messages.

Layout: the gRPC project's PROTOCOL-HTTP2. Pure.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import quote

from scurry.protocols.http2 import Headers, literal
from scurry.wire.errors import InvalidRequest

CODES: Final = {
    name: code
    for code, name in enumerate((
        "OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
        "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED",
        "INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED",
    ))
}  # fmt: skip
"""Numbers of gRPC's statuses."""
PREFIX: Final = 5
"""Bytes that stand before each message."""

_UNITS: Final = {"H": 3_600_000_000, "M": 60_000_000, "S": 1_000_000, "m": 1000, "u": 1, "n": 0.001}
_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])")
_INFLATE: Final = {"gzip": 31, "deflate": 15}
"""Compressions of messages that are read, by what zlib calls their windows."""

WISHES: Final = ("prefer", "idempotency-key", "scurry-callback")
"""Metadata that few calls have; they are looked for once with each head that is read."""

BEGUN: Final = (
    b"\x88"  # :status 200
    + literal(b"content-type", b"application/grpc")
    + literal(b"grpc-accept-encoding", b"identity,deflate,gzip")
)
"""The header block before an answer's messages."""
ENDED: Final = literal(b"grpc-status", b"0")
"""The header block behind them, if all went well."""


class GrpcHead(NamedTuple):
    """Who is called, and what is told beside the messages."""

    path: str
    metadata: Mapping[str, str]
    timeout_us: int  # 0: the caller has named none
    encoding: str  # of messages that are compressed
    fault: str = ""  # why it is no gRPC
    service: str = ""  # the path up to its method, both slashes included
    wishes: bool = False  # there is more to it than an answer to wait for


def head_of(headers: Headers) -> GrpcHead:
    """What a header block says."""
    metadata = dict(headers)
    path, method = metadata.get(":path", ""), metadata.get(":method", "")
    fault = ""
    if method != "POST" or not metadata.get("content-type", "").startswith("application/grpc"):
        fault = "This port speaks gRPC: POST with content-type application/grpc. HTTP has a port of its own."
    timeout = _TIMEOUT.fullmatch(metadata.get("grpc-timeout", ""))
    micros = max(1, int(int(timeout[1]) * _UNITS[timeout[2]])) if timeout else 0
    service, wishes = path[: path.rfind("/") + 1], any(name in metadata for name in WISHES)
    return GrpcHead(path, metadata, micros, metadata.get("grpc-encoding", "identity"), fault, service, wishes)


def prefix(size: int) -> bytes:
    """What stands before a message of this size."""
    return b"\x00" + size.to_bytes(4, "big")


def trailers(code: str, text: str) -> bytes:
    """The header block that ends a call which failed."""
    words = quote(text, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~").encode()
    return literal(b"grpc-status", b"%d" % CODES[code]) + literal(b"grpc-message", words)


def inflated(data: bytes, encoding: str, largest: int) -> bytes:
    """A message that was compressed. Raises `InvalidRequest` for more than the largest, or for none of ours."""
    window = _INFLATE.get(encoding)
    if window is None:
        raise InvalidRequest("bad_request", f"Messages compressed as {encoding[:64]!r} cannot be read; gzip can.")
    reader = zlib.decompressobj(window)
    try:
        message = reader.decompress(data, largest + 1)
    except zlib.error as cause:
        raise InvalidRequest("bad_request", f"The message is not {encoding}: {cause}.") from None
    if len(message) > largest:
        raise too_large(len(message), largest)
    if not reader.eof:
        raise InvalidRequest("bad_request", f"The message's {encoding} ends before its end.")
    return message


def too_large(size: int, largest: int) -> InvalidRequest:
    """Why a message is not read."""
    sentence = f"The message has {size} bytes or more, {largest} are the limit (--max-body-bytes)."
    return InvalidRequest("too_large", sentence)
