"""The function `scurry/registry`: the record of one model and its life."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Sequence
from typing import Final

from google.protobuf.message import DecodeError

from scurry.endpoint.call import Call, Message, State, answer_each, now_ms
from scurry.registry import audit, bindings, views, workers
from scurry.registry import record as records
from scurry.registry.lifecycle import Event, LoadLost, advance, pause_ms
from scurry.registry.steps import (
    Answer,
    AskLoad,
    AskUnload,
    Audited,
    ClaimStream,
    Effect,
    NextStepLater,
    ReleaseStream,
    RemindLater,
    Unpin,
)
from scurry.wire.letters import unreadable
from scurry.wire.limits import shortened
from scurry.wire.messages_pb2 import (
    Audit,
    Bounced,
    Counted,
    DeadLetter,
    Drained,
    LanesWanted,
    Load,
    Loaded,
    LoadFailed,
    Loading,
    NextStep,
    Record,
    Remind,
    Replies,
    Reply,
    StreamClaim,
    StreamClaimed,
    Update,
    View,
)
from scurry.wire.names import EGRESS, REGISTRY, REGISTRY_STATE, ROUTER, TYPE_PREFIX

log = logging.getLogger(__name__)

STATE: Final = State(REGISTRY_STATE, f"{TYPE_PREFIX}Record")

WANTED: Final = f"{TYPE_PREFIX}RoutesWanted"
CLAIM: Final = f"{TYPE_PREFIX}StreamClaim"
STREAM: Final = "stream:"
"""How the addresses of Cluster Serving streams begin; no model's name has a colon."""


class Registry:
    """Serves every model: nothing is kept between calls but the record that travels with them."""

    typename = REGISTRY
    state: State | None = STATE

    def __init__(self, clock: Callable[[], int] = now_ms, functions: tuple[str, ...] | None = None) -> None:
        self._clock = clock
        self.functions = functions  # user functions and pools that there is an endpoint for; None: any

    async def serve(self, calls: Sequence[Call], done: Callable[[Call], None]) -> None:
        """Answer every call; never waits."""
        answer_each(calls, done, self._answer)

    def _answer(self, call: Call) -> None:
        """One batch of one model, event by event."""
        before = records.load(call.state, call.key)
        record = before
        for message in call.messages:
            record = self._take(call, record, message)
        if record != before:
            call.keep(STATE, record.SerializeToString())
            view = views.view(record)
            if view != views.view(before):
                _egress(call, View(model=call.key, record=view))

    def _take(self, call: Call, record: Record, message: Message) -> Record:
        """The record after a message. One that fails is answered and put aside, for it would fail each time."""
        read = _EVENTS.get(message.typename)
        mark, event = call.mark(), None
        try:
            if read is None:
                raise LookupError("the registry does not know messages of this type")
            if message.typename == WANTED:
                _tell_routes(call, record, Replies(), wanted=True)
                return record
            if message.typename == CLAIM:
                return _decide(call, record, StreamClaim.FromString(message.value))
            event = read(message.value)
            if isinstance(event, Update):
                event.model = call.key
            return record if event is None else _step(call, record, event, self._clock(), self.functions)
        except Exception as failure:
            call.undo(mark)
            known = event is None and isinstance(failure, DecodeError | LookupError)
            why = f"The registry failed on it: {type(failure).__name__}: {failure}"
            log.warning("model %s: a message of type %s is put aside", call.key, message.typename, exc_info=not known)
            cause = f"bad_request: {failure}" if known else f"internal: {why}"
            _egress(call, unreadable(call.key, message.typename, message.value, cause))
            if isinstance(event, Update) and (event.id or event.reply):
                _egress(call, Replies(replies=[_reply(record, Answer(event, "internal", why))]))
            return record

    def __repr__(self) -> str:
        return "<Registry>"


def _lost(value: bytes) -> LoadLost | None:
    """Of what bounces only a Load matters: an Unload died with its worker."""
    bounced = Bounced.FromString(value)
    if bounced.typename != f"{TYPE_PREFIX}Load":
        return None
    load = Load.FromString(bounced.message)
    return LoadLost(load.version, load.spec.generation, bounced.executing, bounced.cause, load.spec.identity)


_EVENTS: Final[dict[str, Callable[[bytes], Event | None]]] = {
    WANTED: lambda _: None,
    CLAIM: lambda _: None,
    f"{TYPE_PREFIX}Bounced": _lost,
    **{
        f"{TYPE_PREFIX}{kind.__name__}": kind.FromString
        for kind in (
            Update, Loaded, LoadFailed, Loading, Remind, Drained, LanesWanted, Counted, NextStep, StreamClaimed,
        )
    },
}


def _step(call: Call, before: Record, event: Event, now: int, functions: tuple[str, ...] | None) -> Record:
    """Let one event happen, and see to its effects."""
    record, effects = advance(before, event, now, functions)
    for effect in effects:
        _effect(call, record, effect, functions)
    for told in _told(before, record, event, effects, now):
        _egress(call, told)
    replies = [_reply(record, effect) for effect in effects if isinstance(effect, Answer)]
    answers = Replies(replies=[reply for reply in replies if reply.id or reply.reply])
    if record.epoch != before.epoch:
        _tell_routes(call, record, answers)
    elif answers.replies:
        _egress(call, answers)
    return record


def _claim(call: Call, record: Record, effect: ClaimStream | ReleaseStream) -> None:
    """Ask for a stream, or give it back, at its own address."""
    claim = StreamClaim(stream=effect.stream, model=record.model)
    if isinstance(effect, ClaimStream):
        claim.update.CopyFrom(effect.update)
    call.send(REGISTRY, STREAM + effect.stream, CLAIM, claim.SerializeToString())


def _decide(call: Call, before: Record, claim: StreamClaim) -> Record:
    """At the address of a stream: tell a model who has it."""
    record = Record()
    record.CopyFrom(before)
    answer = bindings.decide(record, claim)
    if answer is not None:
        call.send(REGISTRY, claim.model, f"{TYPE_PREFIX}StreamClaimed", answer.SerializeToString())
    return record


def _told(before: Record, record: Record, event: Event, effects: Sequence[Effect], now: int) -> Sequence[Audit]:
    """What the audit stream is told of an event."""
    if isinstance(event, Update | StreamClaimed):
        noted = [effect for effect in effects if isinstance(effect, Audited)]
        return [audit.of_message(before, record, each.update, each.outcome, now) for each in noted]
    happened = audit.of_event(before, record, now)
    return [] if happened is None else [happened]


def _tell_routes(call: Call, record: Record, announce: Replies, *, wanted: bool = False) -> None:
    """What the router must know; without versions when there are none."""
    routes = records.routes_of(record)
    routes.wanted = wanted
    if announce.replies:
        routes.announce.CopyFrom(announce)
    call.send(ROUTER, call.key, f"{TYPE_PREFIX}Routes", routes.SerializeToString())


def _effect(call: Call, record: Record, effect: Effect, functions: tuple[str, ...] | None) -> None:
    """Answers are not seen to here: they may have to travel with the routes."""
    if isinstance(effect, AskLoad | AskUnload | Unpin):
        workers.tell(call, record, effect, functions)
    elif isinstance(effect, RemindLater):
        remind = Remind(version=effect.version, generation=effect.generation, attempt=effect.attempt)
        call.send_after(
            pause_ms(effect.attempt), REGISTRY, call.key, f"{TYPE_PREFIX}Remind", remind.SerializeToString()
        )
    elif isinstance(effect, ClaimStream | ReleaseStream):
        _claim(call, record, effect)
    elif isinstance(effect, NextStepLater):
        step = NextStep(number=effect.number, step=effect.step)
        call.send_after(effect.delay_ms, REGISTRY, call.key, f"{TYPE_PREFIX}NextStep", step.SerializeToString())


def _reply(record: Record, answer: Answer) -> Reply:
    """The record as it is now, or why there is none."""
    update = answer.update
    reply = Reply(id=update.id, entry=update.entry, reply=update.reply, model=record.model, digest=update.digest)
    reply.message = shortened(answer.message)
    if update.HasField("keep"):
        reply.keep = update.keep
    if answer.code:
        reply.error = answer.code
    else:
        reply.record = views.view(record) or json.dumps({"model": record.model, "versions": []})
    return reply


def _egress(call: Call, value: View | Audit | Replies | DeadLetter) -> None:
    call.egress(EGRESS, f"{TYPE_PREFIX}{type(value).__name__}", value.SerializeToString())
