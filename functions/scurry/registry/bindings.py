"""The verb `bind`: Cluster Serving streams that a model answers.

A stream belongs to one model. Who has it is kept at an address of its own, which a model asks before it has the stream:

    model ──StreamClaim──▶ stream:NAME ──StreamClaimed──▶ model, which then has it and answers, or refuses

A stream that a model has no longer, because it was unbound or the model is gone, is given back. Pure.
"""

from __future__ import annotations

from typing import Final

from scurry.registry.record import require_model
from scurry.registry.steps import Answer, Audited, ClaimStream, Progress, ReleaseStream
from scurry.wire.errors import InvalidRequest, bad_message
from scurry.wire.limits import STREAM_BYTES
from scurry.wire.messages_pb2 import Bind, Record, StreamClaim, StreamClaimed, Update
from scurry.wire.names import CLUSTER_SERVING

MOST_STREAMS: Final = 64
"""Of one model: they travel with its record."""


def check(bind: Bind) -> None:
    """Raise `InvalidRequest` for a stream that cannot be one."""
    name = bind.stream
    if len(name.encode()) > STREAM_BYTES or (name and not name.isprintable()):
        raise bad_message(f"bind.stream may have at most {STREAM_BYTES} bytes, all of what can be printed")
    if name.startswith(CLUSTER_SERVING):
        raise bad_message(f"bind.stream {name[:64]!r} begins as the keys of answers do: {CLUSTER_SERVING}")
    if bind.unbind and bind.batched:
        raise bad_message("bind.batched says nothing of a stream that bind.unbind is to take away")


def bind(progress: Progress, update: Update) -> str:
    """Have a stream answered, or no longer; an empty name stands for every stream. Empty: it is not decided yet."""
    record, asked = progress.record, update.bind
    require_model(record)
    if asked.unbind or not asked.stream:
        for name in [asked.stream] if asked.stream else list(record.streams):
            if name not in record.streams:
                sentence = f"Stream {name!r} is not bound to model {record.model!r}."
                raise InvalidRequest("bad_request", sentence)
            del record.streams[name]
        return progress.applied(update)
    if asked.stream in record.streams:
        record.streams[asked.stream].batched = asked.batched
        return progress.applied(update)
    if len(record.streams) >= MOST_STREAMS:
        raise InvalidRequest("too_large", f"Model {record.model!r} has {MOST_STREAMS} streams; no more may be bound.")
    progress.effects.append(ClaimStream(asked.stream, update))
    return ""


def on_claimed(progress: Progress, event: StreamClaimed) -> None:
    """The stream is the model's, or another's; or the model is gone meanwhile."""
    record, update = progress.record, event.update
    if event.owner != record.model:
        sentence = f"Stream {event.stream!r} is bound to model {event.owner!r}: unbind it there first."
        progress.effects += [Answer(update, "not_allowed", sentence), Audited(update, "not_allowed")]
    elif not record.versions:
        sentence = f"No model is called {record.model!r}."
        progress.effects += [Answer(update, "model_not_found", sentence), Audited(update, "model_not_found")]
        progress.effects.append(ReleaseStream(event.stream))
    else:
        record.streams[event.stream].batched = update.bind.batched
        progress.effects.append(Audited(update, progress.applied(update)))


def released(before: Record, record: Record) -> list[ReleaseStream]:
    """The streams that a model had before and has no longer."""
    return [ReleaseStream(name) for name in sorted(before.streams.keys() - record.streams.keys())]


def decide(record: Record, claim: StreamClaim) -> StreamClaimed | None:
    """At a stream's own address: who has it from now on, noted in `record`; None when it was given back."""
    if not claim.HasField("update"):
        if record.owner == claim.model:
            record.owner = ""
        return None
    record.owner = record.owner or claim.model
    return StreamClaimed(update=claim.update, stream=claim.stream, owner=record.owner)


def view(record: Record) -> dict[str, dict[str, bool]]:
    """The streams as readers see them."""
    return {name: {"batched": one.batched} for name, one in sorted(record.streams.items())}
