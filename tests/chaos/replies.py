"""Reads one reply stream as a caller does, and hands on what it saw."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Mapping

import numpy as np
import redis
from tests.chaos.claims import EXPIRED, Rows, Seen
from tests.chaos.door import connect
from tests.chaos.mix import Numbers

from scurry.wire.infer_pb2 import InferReply, Tensor

Fields = Mapping[bytes, bytes]
WRITTEN = b" written"
"""Field in which the reader says when Redis took the reply, epoch ms."""
PARKED_S = 55.0
"""So long a parked output lies there at least; whoever could not read its reply earlier, finds none."""


class Gone(Exception):
    """A parked output is in Redis no more."""


class Reader(threading.Thread):
    """Follows a reply stream through every interruption; what it has read it trims."""

    def __init__(self, url: str, stream: str, take: Callable[[Fields, float], None], *, trim: bool = True) -> None:
        super().__init__(daemon=True, name=f"reader of {stream}")
        self.stream = stream
        self._redis = connect(url)
        self._take, self._trim = take, trim
        self._last = b"0-0"
        self._stopping = threading.Event()
        self.failure: Exception | None = None

    def run(self) -> None:
        """Read until told to stop."""
        try:
            while not self._stopping.is_set():
                try:
                    self._read()
                except (redis.RedisError, OSError):
                    self._redis.connection_pool.disconnect()
                    time.sleep(0.1)
        except Exception as failure:
            self.failure = failure

    def _read(self) -> None:
        found = self._redis.xread({self.stream: self._last}, count=2000, block=500)
        for _, entries in found or ():
            at = time.monotonic()
            for entry, fields in entries:
                self._last = entry
                self._take({**fields, WRITTEN: entry.partition(b"-")[0]}, at)
            if self._trim:
                self._forget()

    def _forget(self) -> None:
        head, _, tail = self._last.partition(b"-")
        with contextlib.suppress(redis.RedisError, OSError):
            self._redis.xtrim(self.stream, minid=head + b"-" + str(int(tail) + 1).encode(), approximate=False)

    def stop(self) -> None:
        """Read no more."""
        self._stopping.set()
        self.join()


class Decoder:
    """Turns the fields of a reply into what the checker knows."""

    def __init__(self, url: str, numbers: Numbers) -> None:
        self._redis = connect(url)
        self._numbers = numbers

    def seen(self, fields: Fields, at: float) -> Seen:
        """One reply. A number that is not ours becomes -1."""
        number = self._numbers.number(fields[b"id"].decode(errors="replace"))
        version = fields.get(b"version", b"").decode()
        if fields[b"status"] != b"ok":
            message = fields.get(b"message", b"").decode(errors="replace")
            return Seen(-1 if number is None else number, at, version, fields[b"error"].decode(), message)
        try:
            outputs = self._outputs(self._body(fields)) if b"record" not in fields else {}
        except Gone:
            late = time.time() - int(fields[WRITTEN]) / 1000 > PARKED_S
            return Seen(-1 if number is None else number, at, version, EXPIRED if late else "", "its output is gone")
        return Seen(-1 if number is None else number, at, version, y=outputs.get("y"), s=outputs.get("s"))

    def _body(self, fields: Fields) -> bytes:
        return fields[b"reply"] if b"reply" in fields else self._parked(fields[b"payload"].decode())

    def _outputs(self, body: bytes) -> dict[str, Rows]:
        if body[:1] == b"{":
            told = json.loads(body)["outputs"]
            return {each["name"]: np.array(each["data"], np.float32).reshape(each["shape"]) for each in told}
        return {tensor.name: self._array(tensor) for tensor in InferReply.FromString(body).outputs}

    def _array(self, tensor: Tensor) -> Rows:
        data = self._parked(tensor.payload) if tensor.payload else tensor.data
        return np.frombuffer(data, "<f4").reshape(tensor.shape)

    def _parked(self, key: str) -> bytes:
        """The bytes of a parked output. Raises `Gone`: the answer is a wrong one, unless it was read too late."""
        while True:
            try:
                data = self._redis.get(key)
            except (redis.RedisError, OSError):
                self._redis.connection_pool.disconnect()
                time.sleep(0.2)
                continue
            if data is None:
                raise Gone(key)
            return bytes(data)
