"""A router to ask, and what it said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message as Proto

from scurry.endpoint.call import DELETE, Call, Message
from scurry.router.counting import TELL
from scurry.router.function import STATE, Router
from scurry.wire import messages_pb2 as pb
from scurry.wire.messages_pb2 import (
    DeadLetter,
    ModelSpec,
    Released,
    Replies,
    Reply,
    Request,
    Requests,
    Routes,
    VersionRoute,
)
from scurry.wire.names import INFERENCE, ROUTER

NOW = 1_000_000
SPEC = ModelSpec(uri="/m.onnx", runtime="onnx", generation=3, max_batch_size=32)
FROM_ROUTER = (ROUTER, "m")


@dataclass
class Outcome:
    """What one call said, decoded."""

    sent: list[tuple[str, str, Any]]
    delayed: list[tuple[int, str, Any]]
    replies: list[Reply]
    dead: list[DeadLetter]
    state: bytes | None
    kept: bool
    tells: int = 0  # how often it means to tell the registry what it counted
    released: Sequence[Released] = ()  # inputs let go of

    @property
    def lanes(self) -> list[tuple[str, list[str], int, bool]]:
        """(address, ids, sequence, report) of what went to inference."""
        return [
            (key, [r.id for r in value.requests], value.sequence, value.report)
            for to, key, value in self.sent
            if to == INFERENCE
        ]

    @property
    def errors(self) -> dict[str, str]:
        """Error code by id."""
        return {reply.id: reply.error for reply in self.replies}


def decode(typename: str, value: bytes) -> Any:
    """The message of a typed value."""
    return getattr(pb, typename.removeprefix("scurry.v1/")).FromString(value)


async def serve(state: bytes | None, *messages: Proto | Message, key: str = "m", now: int = NOW) -> Outcome:
    """Let the router answer one call."""
    mail = [
        m if isinstance(m, Message) else Message(f"scurry.v1/{type(m).__name__}", m.SerializeToString())
        for m in messages
    ]
    finished: list[Call] = []
    await Router(lambda: now).serve([Call(ROUTER, key, mail, state)], finished.append)
    result = finished[0].response.invocation_result
    egress = [decode(out.argument.typename, out.argument.value) for out in result.outgoing_egresses]
    batches = [value for value in egress if isinstance(value, Replies)]
    assert len(batches) <= 1, "replies of one call leave in one message"
    for mutation in result.state_mutations:
        assert mutation.state_name == STATE.name
        state = None if mutation.mutation_type == DELETE else mutation.state_value.value
    return Outcome(
        [
            (f"{o.target.namespace}/{o.target.type}", o.target.id, decode(o.argument.typename, o.argument.value))
            for o in result.outgoing_messages
        ],
        [
            (d.delay_in_ms, d.target.id, decode(d.argument.typename, d.argument.value))
            for d in result.delayed_invocations
            if d.argument.typename != TELL
        ],
        [reply for batch in batches for reply in batch.replies],
        [value for value in egress if isinstance(value, DeadLetter)],
        state,
        bool(result.state_mutations),
        sum(d.argument.typename == TELL for d in result.delayed_invocations),
        [value for value in egress if isinstance(value, Released)],
    )


def requests(*ids: str, **fields: Any) -> Requests:
    """Requests with these ids."""
    return Requests(
        requests=[Request(id=i, model="m", entry=f"s/{i}-0", body=b"b" + i.encode(), **fields) for i in ids]
    )


def many(count: int, **fields: Any) -> Requests:
    """So many requests."""
    return requests(*(f"r{number}" for number in range(count)), **fields)


def route(version: str, weight: int = 1, **fields: Any) -> VersionRoute:
    """A route to version `version`."""
    return VersionRoute(version=version, weight=weight, spec=fields.pop("spec", SPEC), **fields)


async def routed(*versions: VersionRoute, **fields: Any) -> bytes:
    """State of a router with these routes in force."""
    made = await serve(None, Routes(epoch=5, versions=versions, **fields))
    assert made.state is not None
    return made.state


def sent_by_router(value: Proto) -> Message:
    """A message of the router to itself."""
    return Message(f"scurry.v1/{type(value).__name__}", value.SerializeToString(), FROM_ROUTER)


async def forwarded(count: int) -> tuple[bytes, Requests]:
    """State and message after `count` requests went to lane 0."""
    out = await serve(await routed(route("1")), many(count))
    assert out.state is not None
    return out.state, out.sent[0][2]


async def given_up(out: Outcome, now: int = NOW + 60_000) -> Outcome:
    """What was held comes back when nothing is to be hoped for any more."""
    return await serve(out.state, *(sent_by_router(value) for _, _, value in out.delayed), now=now)
