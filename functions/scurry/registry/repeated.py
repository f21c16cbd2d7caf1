"""Registry messages that come again: each is carried out once.

Whoever got no answer may send a message again under its id, long after others changed what it said. The newest that
were carried out are remembered by digests; what was refused is looked at anew.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from typing import Final

from scurry.registry.record import find
from scurry.registry.steps import Answer, Progress
from scurry.wire.errors import InvalidRequest
from scurry.wire.messages_pb2 import FAILED, Record, Seen, Update

MOST: Final = 64
"""So many messages of a model are remembered."""
CLAIMS: Final = "bind"
"""A verb that another address decides: the same again is asked again, and gets what it has."""


def once(progress: Progress, update: Update, carry_out: Callable[[Progress, Update], str]) -> str:
    """Carry out a message unless it came before; returns its outcome. Raises `ScurryError`."""
    outcome = _again(progress, update)
    if not outcome:
        outcome = carry_out(progress, update)
        _remember(progress.record, update)
    return outcome


def _remember(record: Record, update: Update) -> None:
    key = _short(update.id)
    if update.id and update.WhichOneof("change") != CLAIMS and all(one.id != key for one in record.seen):
        record.seen.append(Seen(id=key, digest=update.digest))
        del record.seen[:-MOST]


def _again(progress: Progress, update: Update) -> str:
    """Answer a message that came before; empty: it did not, or is to be tried again.

    Raises `InvalidRequest` if another message had its id.
    """
    record, key = progress.record, _short(update.id)
    seen = next((one for one in record.seen if one.id == key), None) if update.id else None
    if seen is None:
        return ""
    if seen.digest != update.digest:
        raise InvalidRequest("id_conflict", "This id was used before, for something else.")
    waits = next((entry for entry in record.versions if any(one.id == update.id for one in entry.waiting)), None)
    if waits is not None:
        waits.waiting.append(update)
    elif _failed(record, update):
        return ""
    else:
        progress.effects.append(Answer(update))
    return "unchanged"


def _failed(record: Record, update: Update) -> bool:
    """Whether it was to bring a version into memory, which failed: that is tried again."""
    verb = update.WhichOneof("change")
    if verb == "register":
        entry = find(record, update.register.version)
        replaced_nothing = entry is not None and not entry.update  # what it was to replace is back
        return replaced_nothing or any(one.update == update.id and one.state == FAILED for one in record.versions)
    named = update.load.version
    entry = find(record, record.aliases.get(named, named)) if verb == "load" else None
    return entry is not None and entry.state == FAILED


def _short(message: str) -> bytes:
    return blake2b(message.encode(), digest_size=8).digest()
