"""Dead letters for messages in which no request can be found."""

from __future__ import annotations

from typing import Final

from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import DeadLetter

KEPT_BYTES: Final = 64 * 1024
"""So much is kept of what nobody can read."""


def unreadable(model: str, typename: str, value: bytes, cause: str) -> DeadLetter:
    """A message as it came, for people to look at; the cause begins with its code."""
    letter = DeadLetter(cause=shortened(cause))
    letter.fields["model"] = model.encode()
    letter.fields["type"] = typename.encode()
    letter.fields["value"] = value[:KEPT_BYTES]
    return letter
