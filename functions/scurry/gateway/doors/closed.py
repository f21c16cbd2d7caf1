"""The door with nobody behind it: before Redis answers, at the end."""

from __future__ import annotations

from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.replies import HttpReply, json_reply, refusal
from scurry.gateway.limits import Room
from scurry.wire.errors import ScurryError


class Closed:
    """Says why to everybody. A probe hears that we live, and are not ready."""

    def __init__(self, cause: ScurryError) -> None:
        self._cause = cause

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:  # noqa: ARG002 - a door's signature
        """Answer one request: `done` is called once, now or later. Never raises."""
        done(self._answer(head.target.partition("?")[0].rstrip("/")))

    def _answer(self, path: str) -> HttpReply:
        match path:
            case "/v2/health/live" | "/v2/health":
                return json_reply({"live": True})
            case "/v2/health/ready":
                return json_reply({"ready": False, "gateway": self._cause.message}, 503)
        return refusal(self._cause)

    def __repr__(self) -> str:
        return f"<Closed: {self._cause}>"
