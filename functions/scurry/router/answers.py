"""What the router itself tells callers: errors, and dead letters."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call, Message
from scurry.router.policy import Bounds, Refusal
from scurry.wire.infer_pb2 import InferRequest
from scurry.wire.letters import unreadable
from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import ENCODING_REQUEST, DeadLetter, Replies, Reply, Request
from scurry.wire.names import EGRESS, GRAPH, NOBODY, TYPE_PREFIX
from scurry.wire.pools import pool_of

log = logging.getLogger(__name__)

LATE: Final = Refusal("deadline_exceeded", "The deadline passed before the request reached a worker.")

NEGATIVE: Final = Refusal("bad_request", "priority must be a whole number from 0: 1 is the highest, 0 the default.")


def unfit(function: str, bounds: Bounds, request: Request) -> Refusal | None:
    """Why a function does not get this: nobody serves it, or it is a user's, which does not answer such a request."""
    if not bounds.reaches(function):
        return Refusal("unavailable", f"The job's module.yaml has no endpoint for {function}.")
    if pool_of(function):
        return None
    if request.run:
        return Refusal("bad_request", f"{function} is a user's function, which cannot be a step of a graph.")
    if request.stream:
        return Refusal("bad_request", f"{function} is a user's function, which reads no Cluster Serving stream.")
    return None


def overloaded(version: str, outstanding: int) -> Refusal:
    """Every lane is full."""
    return Refusal("overloaded", f"Version {version} has {outstanding} requests outstanding; try again shortly.")


class Answers:
    """Replies of one routing, which leave in one message, and dead letters."""

    __slots__ = ("_call", "_replies")

    def __init__(self, call: Call) -> None:
        self._call = call
        self._replies = Replies()

    def add(self, replies: Iterable[Reply]) -> None:
        """Replies that others wrote."""
        self._replies.replies.extend(replies)

    def refuse(self, request: Request, refusal: Refusal) -> None:
        """Answer with an error; an entry that made no sense is also kept for people to look at."""
        reply = error_reply(request, self._call.key, refusal)
        if request.defect:
            self._dead(DeadLetter(cause=shortened(f"{refusal.code}: {refusal.message}"), fields=request.fields))
        else:
            reply.consumed.extend(parked(request))
        if reply.id or reply.reply:
            self.add([reply])

    def bury(self, request: Request, version: str, refusal: Refusal) -> None:
        """Answer a request for good and keep it as it came; what is parked for it stays, for it may be sent again."""
        self.add([error_reply(request, self._call.key, refusal, version)])
        cause = shortened(f"{refusal.code}: {refusal.message}")
        letter = DeadLetter(request=request, cause=cause, attempts=request.attempt)
        for field in ("attempt", "blame"):
            letter.request.ClearField(field)
        self._dead(letter)

    def unreadable(self, message: Message, failure: Exception) -> None:
        """Put aside a message that no request can be found in."""
        log.warning("model %s: a message of type %s is put aside: %s", self._call.key, message.typename, failure)
        self._dead(unreadable(self._call.key, message.typename, message.value, f"bad_request: {failure}"))

    def _dead(self, letter: DeadLetter) -> None:
        self._call.egress(EGRESS, f"{TYPE_PREFIX}DeadLetter", letter.SerializeToString())

    def mark(self) -> int:
        """How many replies there are; `undo` goes back to it."""
        return len(self._replies.replies)

    def undo(self, mark: int) -> None:
        """Forget the replies after a mark."""
        del self._replies.replies[mark:]

    def flush(self) -> None:
        """Hand the replies to the egress."""
        if any(reply.run for reply in self._replies.replies):
            self._answer_runs()
        if self._replies.replies:
            self._call.egress(EGRESS, f"{TYPE_PREFIX}Replies", self._replies.SerializeToString())

    def _answer_runs(self) -> None:
        """What a run of a graph asked is answered to the run."""
        replies = list(self._replies.replies)
        self._replies = Replies(replies=[reply for reply in replies if not reply.run])
        for reply in replies:
            if reply.run:
                self._call.send(GRAPH, reply.run, f"{TYPE_PREFIX}Reply", reply.SerializeToString())


def error_reply(request: Request, model: str, refusal: Refusal, version: str = "") -> Reply:
    """The answer to a request that nobody will compute."""
    out = Reply(
        id=request.id,
        entry=request.entry,
        reply=request.reply,
        model=request.model or ("" if model == NOBODY else model),
        version=version,
        encoding=request.encoding,
        bulk=request.bulk,
        error=refusal.code,
        message=shortened(refusal.message),
        digest=request.digest,
        run=request.run,
        step=request.step,
        stream=request.stream,
        uri=request.uri,
    )
    if request.HasField("keep"):
        out.keep = request.keep
    return out


def parked(request: Request) -> list[str]:
    """Redis keys under which parts of the request wait and will not be read any more."""
    keys = [request.payload] if request.payload else []
    if request.encoding == ENCODING_REQUEST and request.body:
        try:
            inputs = InferRequest.FromString(request.body).inputs
        except DecodeError:
            return keys
        keys += [tensor.payload for tensor in inputs if tensor.payload]
    return keys
