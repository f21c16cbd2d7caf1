"""A gRPC caller without a socket: frames to a connection and back."""

from __future__ import annotations

import asyncio
from typing import Any, NamedTuple

from hpack import Decoder, Encoder

from scurry.gateway.access import Access
from scurry.gateway.admin import Admin
from scurry.gateway.ask import Ask
from scurry.gateway.doors.census import Census
from scurry.gateway.doors.grpc import SERVICE, OpenInferenceGrpc
from scurry.gateway.doors.grpc_call import GrpcDoor
from scurry.gateway.doors.grpc_inference import GrpcInference
from scurry.gateway.doors.grpc_operations import Operations
from scurry.gateway.doors.grpc_state import StateOperations
from scurry.gateway.doors.grpc_tensors import Placing
from scurry.gateway.doors.http2_connection import Http2Connection
from scurry.gateway.health import Health
from scurry.gateway.limits import NO_LIMITS, Admission, TensorLimits
from scurry.gateway.models import Models
from scurry.gateway.region_notes import OwnNotes
from scurry.gateway.repository import Repository
from scurry.gateway.server_settings import ServerSettings
from scurry.gateway.server_state import ServerState
from scurry.gateway.shared_memory import SharedMemory
from scurry.protocols import http2
from scurry.protocols.grpc_words import prefix
from scurry.protocols.http2 import Frames


def door_of(
    client: Any, *, max_in_flight: int = 100, key: str = "", access: Access | None = None,
    most: TensorLimits = NO_LIMITS,
) -> OpenInferenceGrpc:  # fmt: skip
    """The door before a client without Redis."""
    models = Models(client)
    state = ServerState(SharedMemory(OwnNotes(), allowed=True), ServerSettings())
    ask = Ask(client, max_in_flight=max_in_flight, timeout_s=30.0, most=most)
    access = access or Access()
    repository = Repository(Admin(client, key=key, host="127.0.0.1", asks_keys=access.is_asked), models)
    operations = Operations(models, Health(client), repository, state.server)
    inference = GrpcInference(ask, Placing(state.memory, models), access)
    return OpenInferenceGrpc(inference, operations, StateOperations(models, state), access)


class Transport:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = False

    def write(self, data: bytes) -> None:
        """Keep it."""
        self.written += data

    def writelines(self, parts: Any) -> None:
        """Keep them."""
        for part in parts:
            self.written += part

    def get_extra_info(self, _: str) -> None:
        """There is no socket."""

    def close(self) -> None:
        """Nothing more comes."""
        self.closed = True


class Reply(NamedTuple):
    """What a call came to."""

    status: str
    text: str
    messages: list[bytes]


class Line:
    """One connection; `door` answers."""

    def __init__(self, door: GrpcDoor, *, max_body_bytes: int = 1 << 24, memory: int = 1 << 26) -> None:
        self.door, self.max_body_bytes, self.body_timeout_s = door, max_body_bytes, 5.0
        self.admission, self.census = Admission(memory), Census()
        self.connections: set[Http2Connection] = set()
        self.connection = Http2Connection(self)
        self.transport = Transport()
        self.connection.connection_made(self.transport)  # type: ignore[arg-type]
        self.encoder, self.decoder = Encoder(), Decoder()
        self.frames: list[http2.Frame] = []
        self.headers: dict[int, dict[str, str]] = {}
        self.bodies: dict[int, bytes] = {}
        self.ended: set[int] = set()
        self._reader, self._next = Frames(1 << 20), -1

    def send(self, *data: bytes) -> None:
        """Bytes to the connection."""
        self.connection.data_received(b"".join(data))

    def greet(self, *settings: tuple[int, int]) -> None:
        """As every caller begins."""
        self.send(http2.PREFACE, http2.settings(settings))

    def head(self, method: str, *, flags: int = http2.END_HEADERS, **metadata: str) -> int:
        """Begin a call; returns its stream."""
        self._next += 2
        path = method if method.startswith("/") else SERVICE + method
        headers = {":method": "POST", ":path": path, ":scheme": "http", "content-type": "application/grpc", **{
            name.replace("_", "-"): value for name, value in metadata.items()
        }}  # fmt: skip
        self.send(http2.frame(http2.HEADERS, flags, self._next, self.encoder.encode(list(headers.items()))))
        return self._next

    def data(self, stream: int, message: bytes, *, last: bool = True, framed: bool = True) -> None:
        """A message, or a piece of one."""
        body = prefix(len(message)) + message if framed else message
        while len(body) > http2.SMALLEST_FRAME:
            self.send(http2.frame(http2.DATA, 0, stream, body[: http2.SMALLEST_FRAME]))
            body = body[http2.SMALLEST_FRAME :]
        self.send(http2.frame(http2.DATA, http2.END_STREAM if last else 0, stream, body))

    def look(self) -> list[http2.Frame]:
        """Read what was written since."""
        found = self._reader.feed(bytes(self.transport.written))
        self.transport.written.clear()
        for kind, flags, stream, payload in found:
            if kind == http2.HEADERS:
                self.headers.setdefault(stream, {}).update(self.decoder.decode(payload))
            elif kind == http2.DATA:
                self.bodies[stream] = self.bodies.get(stream, b"") + payload
            if kind in (http2.HEADERS, http2.DATA) and flags & http2.END_STREAM:
                self.ended.add(stream)
        self.frames += found
        return found

    def messages(self, stream: int) -> list[bytes]:
        """Whole messages of a stream so far."""
        body, found = self.bodies.get(stream, b""), []
        while len(body) >= 5 and len(body) >= 5 + (size := int.from_bytes(body[1:5], "big")):
            found.append(body[5 : 5 + size])
            body = body[5 + size :]
        return found

    async def reply(self, stream: int) -> Reply:
        """What a call came to."""
        async with asyncio.timeout(5):
            while stream not in self.ended:
                self.look()
                await asyncio.sleep(0)
        headers = self.headers[stream]
        return Reply(headers["grpc-status"], headers.get("grpc-message", ""), self.messages(stream))

    async def call(self, method: str, message: bytes, **metadata: str) -> Reply:
        """Call with one message."""
        stream = self.head(method, **metadata)
        self.data(stream, message)
        return await self.reply(stream)
