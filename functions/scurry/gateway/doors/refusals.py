"""What a caller gets for whatever went wrong."""

from __future__ import annotations

import logging

from scurry.gateway.doors.paths import NoSuchPath
from scurry.gateway.doors.replies import HttpReply, json_reply, refusal
from scurry.wire.errors import Failed, ScurryError

log = logging.getLogger(__name__)


def refused(cause: Exception, what: str) -> HttpReply:
    """The response that tells it; a fault of ours is in the log, with `what` was asked."""
    if isinstance(cause, ScurryError):
        return refusal(cause)
    if isinstance(cause, NoSuchPath):
        allow = f"Allow: {cause.allow}\r\n".encode("ascii") if cause.allow else b""
        return json_reply({"error": cause.message, "code": "bad_request"}, cause.status, allow)
    log.error("request failed", exc_info=cause, extra={"target": what[:200]})
    return refusal(Failed("internal", "The gateway failed to answer; its log tells why."))
