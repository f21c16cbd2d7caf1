"""The messages of one gRPC call."""

from __future__ import annotations

from scurry.gateway.doors.grpc_messages import Messages


def test_messages_are_put_together_of_any_pieces():
    """Two of them, a byte at a time and all at once."""
    wire = b"\x00\x00\x00\x00\x03abc" + b"\x01\x00\x00\x00\x00"
    for step in (1, 2, 7, 100):
        messages, found = Messages(), []
        for at in range(0, len(wire), step):
            messages.put(wire[at : at + step])
            while messages.measure() or messages.is_whole:
                if not messages.is_whole:
                    break
                found.append(messages.take())
        assert found == [(b"abc", False), (b"", True)]
        assert messages.heard == 0
