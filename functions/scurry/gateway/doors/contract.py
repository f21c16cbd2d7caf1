"""The door at which the gateway tells its own contract.

`GET /openapi.json` is OpenAPI of every HTTP path, `GET /v2/protos` names the proto files and `GET /v2/protos/NAME` is
one of them. They are read when they are first asked for.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from scurry.gateway import contract
from scurry.gateway.doors.entrance import Done
from scurry.gateway.doors.heads import Head
from scurry.gateway.doors.paths import READING, NoSuchPath, wrong_method
from scurry.gateway.doors.refusals import refused
from scurry.gateway.doors.replies import HttpReply, binary_reply, json_reply, text_reply
from scurry.gateway.limits import Room

OPENAPI: Final = "/openapi.json"
PROTOS: Final = "/v2/protos"
PREFIXES: Final = (OPENAPI, PROTOS)


class Contract:
    """Answers with what there is to be read."""

    def begin(self, head: Head, body: bytes, room: Room, done: Done) -> None:  # noqa: ARG002 - nothing is sent here
        """Answer one request: `done` is called once, now or later. Never raises."""
        try:
            reply = _answer(head.method, unquote(head.target.partition("?")[0]).rstrip("/"))
        except Exception as cause:
            reply = refused(cause, head.target)
        done(reply)

    def __repr__(self) -> str:
        return "<Contract>"


def _answer(method: str, path: str) -> HttpReply:
    known = contract.protos()
    name = path.removeprefix(PROTOS).strip("/")
    if path != OPENAPI and name and name not in known:
        raise NoSuchPath(404, f"There is no such file: {PROTOS} names those that there are.")
    if method not in READING:
        raise wrong_method(path, method, READING)
    if path == OPENAPI:
        return binary_reply(contract.openapi(), [])
    return text_reply(known[name]) if name else json_reply({"protos": list(known)})
