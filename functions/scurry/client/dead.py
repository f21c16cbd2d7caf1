"""Dead letters: what could not be served, and sending it again."""

from __future__ import annotations

from dataclasses import dataclass

from google.protobuf.message import DecodeError

from scurry.client.client import Client
from scurry.wire.errors import InvalidRequest, NotFound
from scurry.wire.infer_pb2 import InferRequest

_FIELD = b"field:"
_ENCODINGS = ("inputs", "request", "data")
_STALE = frozenset({b"id", b"reply", b"deadline", b"keep", b"payload", b"encoding"})
"""Not sent again: the id is answered already, nobody waits, the time is over."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One entry of the dead letter stream; `fields` are those of the request as it came."""

    entry: str
    cause: str
    attempts: int
    fields: dict[bytes, bytes]

    def text(self, name: str) -> str:
        """A field of the request as text."""
        return self.fields.get(name.encode(), b"").decode(errors="replace")


async def newest(client: Client, count: int) -> list[DeadLetter]:
    """The last `count` dead letters, the newest first."""
    found = await client.command("XREVRANGE", client.keys.dead, "+", "-", "COUNT", count)
    return [parse(entry, flat) for entry, flat in found]


async def find(client: Client, entry: str) -> DeadLetter:
    """One dead letter by its entry id. Raises `NotFound`."""
    if not entry.replace("-", "", 1).isdecimal():
        raise InvalidRequest("bad_request", f"{entry!r} is not an entry id such as 1700000000000-0.")
    found = await client.command("XRANGE", client.keys.dead, entry, entry)
    if not found:
        raise NotFound("result_not_found", f"There is no dead letter {entry}.")
    return parse(*found[0])


async def redrive(client: Client, letter: DeadLetter) -> str:
    """Send the request again under a new id, whose result is kept as for any caller; returns that id.

    The answer to an entry of a Cluster Serving stream takes the place of the former one.
    """
    fields = {name: value for name, value in letter.fields.items() if name not in _STALE}
    model = letter.text("model")
    body = letter.text("payload")
    if body:
        _refuse_foreign(client, letter, body)
        value: bytes | None = await client.command("GET", body)
        if value is None:
            raise InvalidRequest("payload_missing", f"The body of {letter.entry}, parked as {body}, is gone.")
        if letter.text("encoding") not in _ENCODINGS:
            raise InvalidRequest("bad_request", f"Dead letter {letter.entry} does not say how its body is written.")
        fields[letter.text("encoding").encode()] = value
    if not model or not any(name.encode() in fields for name in _ENCODINGS):
        raise InvalidRequest(
            "bad_request", f"Dead letter {letter.entry} lacks a model or a body and cannot be sent again."
        )
    request_id = client.new_id()
    if b"request" in fields:
        fields[b"request"] = await _own(client, letter, fields[b"request"], request_id)
    stream = client.keys.requests(model, client.streams.partitions)
    flat = [word for pair in fields.items() for word in pair]
    await client.command("XADD", stream, "*", *flat, "id", request_id)
    await client.command("XDEL", client.keys.dead, letter.entry)
    return request_id


async def _own(client: Client, letter: DeadLetter, body: bytes, request_id: str) -> bytes:
    """The body with its parked inputs under the new id's names: under any other nobody follows them."""
    try:
        request = InferRequest.FromString(body)
    except DecodeError:
        return body  # it goes as it came, and is answered as it deserves
    for tensor in request.inputs:
        if tensor.payload:
            _refuse_foreign(client, letter, tensor.payload)
            own = client.keys.payload_in(request_id, tensor.name)
            if not await client.command("COPY", tensor.payload, own, "REPLACE"):
                raise InvalidRequest("payload_missing", f"Input {tensor.name!r}, parked as {tensor.payload}, is gone.")
            tensor.payload = own
    return request.SerializeToString()


def _refuse_foreign(client: Client, letter: DeadLetter, key: str) -> None:
    """An entry is what its sender wrote: he names keys of his own request, or none is followed."""
    if not client.keys.owns(letter.text("id"), key):
        raise InvalidRequest("not_allowed", f"Dead letter {letter.entry} names {key}, which is not its own.")


def parse(entry: bytes, flat: list[bytes]) -> DeadLetter:
    """A dead letter as it stands in the stream."""
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    original = {name.removeprefix(_FIELD): value for name, value in fields.items() if name.startswith(_FIELD)}
    cause, attempts = fields.get(b"cause", b"").decode(errors="replace"), fields.get(b"attempts", b"0")
    return DeadLetter(entry.decode(), cause, int(attempts) if attempts.isdigit() else 0, original)
