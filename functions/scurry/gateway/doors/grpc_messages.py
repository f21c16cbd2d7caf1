"""The messages of one gRPC call, put together of their pieces."""

from __future__ import annotations


class Messages:
    """The messages of a call, put together of their pieces."""

    __slots__ = ("_chunks", "_flag", "heard", "size")

    def __init__(self) -> None:
        self._chunks: list[bytes] = []
        self._flag = 0
        self.heard = 0  # bytes that have come
        self.size = -1  # of the next message, once it is known

    def put(self, payload: bytes) -> None:
        """A piece."""
        self._chunks.append(payload)
        self.heard += len(payload)

    def measure(self) -> bool:
        """Whether the size of the next message is known now, and was not before."""
        if self.size >= 0 or self.heard < 5:
            return False
        head = self._chunks[0]
        if len(head) < 5:
            head = b"".join(self._chunks)
            self._chunks = [head]
        self._flag, self.size = head[0], int.from_bytes(head[1:5], "big")
        return True

    @property
    def is_whole(self) -> bool:
        """Whether the next message has come."""
        return self.size >= 0 and self.heard >= self.size + 5

    def take(self) -> tuple[bytes, bool]:
        """The next message, and whether it is compressed."""
        whole = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        message, rest = whole[5 : self.size + 5], whole[self.size + 5 :]
        self._chunks, self.heard, self.size = [rest] if rest else [], len(rest), -1
        return message, bool(self._flag)

    def __repr__(self) -> str:
        return f"<Messages {self.heard} bytes of {self.size}>"
