"""Bounds on what a caller may send; passing one is refused.

The Java side holds the same figures in `io.scurry.job.Limits`; a test holds both together.
"""

from __future__ import annotations

from typing import Final

ID_BYTES: Final = 512
"""UTF-8 bytes of a request's id, of a sticky key or of a tenant."""
REPLY_BYTES: Final = 512
"""UTF-8 bytes of the name of a reply stream."""
STREAM_BYTES: Final = 256
"""UTF-8 bytes of the name of a Cluster Serving stream."""
URI_BYTES: Final = 4096
"""Bytes of what a Cluster Serving client calls an entry."""
VERSION_BYTES: Final = 128
"""UTF-8 bytes of a version or an alias that is asked for."""
OUTPUTS: Final = 1024
"""Outputs that one request may name; none twice."""
DIMENSIONS: Final = 32
"""Dimensions of one tensor; numpy holds no more."""
ERROR_BYTES: Final = 1024
"""UTF-8 bytes of the sentence that goes with an error code; what is longer is cut."""
JSON_DEPTH: Final = 64
"""Brackets within brackets in a registry message. Of a request its parser takes 1,024, nobody climbs after them."""
PAYLOAD_GRACE_SECONDS: Final = 60
"""A parked output goes at most so long after the result that names it."""


def shortened(sentence: str) -> str:
    """A sentence as it may leave with an error code: within `ERROR_BYTES`, and always text."""
    raw = sentence.encode(errors="replace")
    return raw.decode() if len(raw) <= ERROR_BYTES else raw[: ERROR_BYTES - 3].decode(errors="ignore") + "…"
