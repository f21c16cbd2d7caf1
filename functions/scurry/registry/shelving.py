"""In memory or not: steps of a version that stays registered.

    READY ──rest──▶ DRAINING ──Drained──▶ REGISTERED ──renew──▶ LOADING ──▶ READY

What comes back is the same registration made again: the files are opened as they are then, under a new generation.
"""

from __future__ import annotations

import json
from functools import lru_cache
from hashlib import sha256
from typing import Final

from scurry.registry.steps import Progress
from scurry.wire.messages_pb2 import DRAINING, LOADING, REGISTERED, VersionRecord

_DECIDED: Final = ("error", "message", "loaded", "signature", "bytes", "device", "isolated", "losses")
"""What a load finds out."""


@lru_cache(maxsize=1024)
def is_pinned(config: str) -> bool:
    """Whether a version's options keep it in memory."""
    return json.loads(config or "{}").get("pinned", False) is True


def start(progress: Progress, entry: VersionRecord) -> None:
    """Load it, or, when a function of the user's own answers, take it as ready."""
    entry.resting = entry.laid_down = False
    if entry.function:
        for name in _DECIDED:
            entry.ClearField(name)
        progress.become_ready(entry)
    else:
        progress.begin_load(entry)


def renew(progress: Progress, entry: VersionRecord) -> None:
    """Make the registration again, with a generation and an identity that nothing had before."""
    progress.record.sequence += 1
    spec = entry.spec
    spec.generation = progress.record.sequence
    spec.identity = sha256(json.dumps([spec.identity, spec.generation]).encode()).hexdigest()[:32]
    spec.ClearField("fingerprint")
    start(progress, entry)


def rest(progress: Progress, entry: VersionRecord, *, laid_down: bool) -> None:
    """Take it out of memory once it has finished what it has; its aliases and its share wait for it.

    1. What only loads is given up. 2. What serves while another spec loads gives that one up and drains.
    """
    if entry.HasField("serving"):
        progress.answer_waiting(entry, "load_failed", "It was unloaded before it was loaded.")
        progress.unload(entry, entry.spec)
        progress.restore(entry)
    elif entry.state == LOADING:
        progress.answer_waiting(entry, "load_failed", "It was unloaded before it was loaded.")
    if progress.serves(entry):
        entry.state, entry.resting, entry.laid_down = DRAINING, True, laid_down
    else:
        lie_down(progress, entry, laid_down=laid_down)


def lie_down(progress: Progress, entry: VersionRecord, *, laid_down: bool, message: str = "") -> None:
    """It is out of memory, and registered."""
    for spec in [*entry.former, entry.spec]:
        progress.unload(entry, spec)
    for name in ("former", "loaded", "error", "message", "losses"):
        entry.ClearField(name)
    entry.state, entry.resting, entry.laid_down = REGISTERED, True, laid_down
    progress.answer_waiting(entry, message=message)
