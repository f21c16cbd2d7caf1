"""Members of a batch: what each request brings, checked alone.

A request that is wrong, late, or whose payload is missing fails alone. Pure: payloads come in as values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.protobuf.message import DecodeError

from scurry.protocols.oip_json import decode_request
from scurry.wire.errors import InvalidRequest, ScurryError, Unavailable
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.messages_pb2 import ENCODING_INPUTS
from scurry.wire.tensors import from_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scurry.inference.forms import Form, Forms
    from scurry.wire.messages_pb2 import Request

Buffer = bytes | memoryview
Piece = tuple[tuple[int, ...], Buffer]
"""Shape and bytes of one output for one request."""


class Member:
    """One request in a batch: what it brings, then what it gets."""

    __slots__ = (
        "body",
        "consumed",
        "data",
        "failure",
        "form",
        "needs",
        "outputs",
        "parked",
        "payload",
        "request",
        "wanted",
    )

    def __init__(self, request: Request) -> None:
        self.request = request
        self.form: Form | None = None
        self.data: Sequence[Buffer] = ()
        self.wanted: tuple[int, ...] | None = None  # None: every output
        self.needs: list[tuple[int, str]] | None = None  # (input, key) of what is parked; input -1: the body
        self.consumed: Sequence[str] = ()
        self.failure: ScurryError | None = None
        self.outputs: Sequence[Piece] = ()
        self.body = b""
        self.payload = ""  # key of a parked body
        self.parked: Sequence[str] = ()  # keys of all that was parked for the answer

    def __repr__(self) -> str:
        state = self.failure or ("waits for payloads" if self.needs else "claimed" if self.form else "new")
        return f"<Member {self.request.id}: {state}>"


def claim(requests: Iterable[Request], forms: Forms) -> list[Member]:
    """A member for each request, checked, or failed, or waiting for what is parked."""
    members = []
    recognise = forms.recognise
    for request in requests:
        member = Member(request)
        members.append(member)
        body = request.body
        known = None if request.encoding else recognise(body)
        if known is not None:
            member.form, data = known
            member.data = (data,)
        elif request.payload and not body:
            member.needs, member.consumed = [(-1, request.payload)], [request.payload]
        else:
            _read(member, body, forms)
    return members


def keys_needed(members: Iterable[Member]) -> list[str]:
    """Keys of all that is parked and not here yet, each once."""
    return list(dict.fromkeys(key for member in members if member.needs for _, key in member.needs))


def supply(members: Iterable[Member], found: Mapping[str, bytes | None], forms: Forms) -> None:
    """Hand out what was parked. A body that was parked may itself need more."""
    for member in members:
        if not member.needs:
            continue
        needs, member.needs = member.needs, None
        missing = next((key for _, key in needs if found.get(key) is None), None)
        if missing is not None:
            member.failure = InvalidRequest(
                "payload_missing", f"Nothing is parked under {missing!r}: it has expired or was never written."
            )
        elif needs[0][0] < 0:
            _read(member, found[needs[0][1]] or b"", forms)
        else:
            _fill(member, needs, found, forms)


def drop_late(members: Iterable[Member], now_ms: int) -> None:
    """Fail what nobody waits for any more."""
    for member in members:
        deadline = member.request.deadline
        if deadline and deadline < now_ms and member.failure is None:
            member.needs = None
            member.failure = Unavailable("deadline_exceeded", f"The deadline passed {now_ms - deadline} ms ago.")


def _fill(member: Member, needs: Sequence[tuple[int, str]], found: Mapping[str, bytes | None], forms: Forms) -> None:
    data = list(member.data)
    for at, key in needs:
        data[at] = found[key] or b""
    member.data = data
    try:
        _check_sizes(member, forms)
    except ScurryError as failure:
        member.failure = failure


def _read(member: Member, body: bytes, forms: Forms) -> None:
    """Parse a body and check it; a failure stays with its member."""
    try:
        encoded = member.request.encoding == ENCODING_INPUTS
        request = decode_request(body) if encoded else InferRequest.FromString(body)
        form = member.form = forms.check(request)
        member.wanted = forms.wanted(request.outputs) if request.outputs else None
        tensors = [request.inputs[at] for at in form.order]
        needs = [(at, each.payload) for at, each in enumerate(tensors) if each.payload]
        member.data = [each.data for each in tensors]
        if needs:
            member.needs = needs
            member.consumed = [*member.consumed, *(key for _, key in needs)]
        else:
            _check_sizes(member, forms)
            if not encoded:
                forms.remember(body, request, form)
    except ScurryError as failure:
        member.failure = failure
    except DecodeError:
        member.failure = InvalidRequest("bad_request", "The request's body is not a serialised InferRequest.")


def _check_sizes(member: Member, forms: Forms) -> None:
    form: Form = member.form  # type: ignore[assignment]
    for port, shape, size, data in zip(forms.inputs, form.shapes, form.sizes, member.data, strict=True):
        if size < 0:
            from_bytes(port.name, port.datatype, shape, data)
        elif size != len(data):
            raise InvalidRequest(
                "input_shape",
                f"Input {port.name!r} says {port.datatype} {list(shape)}, {size} bytes, but carries {len(data)}.",
            )
