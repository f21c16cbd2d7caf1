"""Every life of a version that a few events can make, one by one."""

from __future__ import annotations

import itertools
from typing import Final

from tests.unit.registry.course import BLANK, register, update

from scurry.registry.lifecycle import Event, advance
from scurry.registry.record import find, routes_of, takes_requests, weights_of
from scurry.registry.steps import Answer, AskLoad, AskUnload
from scurry.wire.messages_pb2 import (
    DRAINING,
    FAILED,
    LOADING,
    READY,
    REGISTERED,
    Drained,
    Loaded,
    LoadFailed,
    Record,
    Update,
)

DEPTH: Final = 5
MOVES: Final = ("register", "unrouted", "unload", "load", "unregister", "loaded", "failed", "drained", "latest", "all")
LEGAL: Final = {
    None: {LOADING, None},
    REGISTERED: {REGISTERED, LOADING, None},
    LOADING: {LOADING, READY, FAILED, REGISTERED, DRAINING, None},
    READY: {READY, LOADING, DRAINING, FAILED},
    DRAINING: {DRAINING, REGISTERED, None, LOADING},  # the policy may load at once what has just drained
    FAILED: {FAILED, LOADING, REGISTERED, None},
}


def events(move: str, record: Record, token: str) -> list[Event]:
    """What a move means for version 1 as it stands."""
    entry = find(record, "1")
    spec = entry.spec if entry is not None else None
    generation, identity = (spec.generation, spec.identity) if spec is not None else (1, "")
    asked: dict[str, list[Event]] = {
        "register": [register("1", token=token)],
        "unrouted": [register("1", "b.onnx", token=token, route=False)],
        "unload": [update("unload", token, version="1", force=True)],
        "load": [update("load", token, version="1")],
        "unregister": [update("unregister", token, version="1", force=True)],
        "loaded": [Loaded(version="1", lane=lane, generation=generation, identity=identity) for lane in (0, 1)],
        "failed": [LoadFailed(version="1", generation=generation, identity=identity, error="load_failed")],
        "drained": [Drained(version="1", generation=generation)],
        "latest": [update("policy", token, latest=1)],
        "all": [update("policy", token, all=True)],
    }
    return asked[move]


def state(record: Record) -> int | None:
    """Where version 1 stands; None when it is not there."""
    entry = find(record, "1")
    return entry.state if entry is not None else None


def check(before: Record, record: Record) -> None:
    """What must hold after every event."""
    assert state(record) in LEGAL[state(before)], (state(before), state(record))
    routes = routes_of(record)
    entry = find(record, "1")
    told = [*(route.version for route in routes.versions), *routes.pending, *routes.failed, *routes.unloaded]
    assert sorted(told) == (["1"] if entry is not None else []) or (
        entry is not None and entry.state == LOADING and takes_requests(entry)
    ), "the router knows of it once, or twice while a replacement loads"
    assert set(weights_of(record)) <= {"1"}
    if entry is None:
        return
    assert entry.resting >= entry.laid_down
    assert not entry.resting or entry.state in (DRAINING, REGISTERED)
    assert entry.state != REGISTERED or (entry.resting and not entry.waiting and not entry.HasField("serving"))
    assert bool(entry.waiting) <= (entry.state in (LOADING, DRAINING))


def held(effects: list[object], holding: set[str], record: Record) -> set[str]:
    """Which registrations workers may hold, after what they were told."""
    for effect in effects:
        if isinstance(effect, AskLoad):
            entry = find(record, effect.version)
            holding |= {entry.spec.identity} if entry is not None else set()
        elif isinstance(effect, AskUnload):
            holding -= {effect.identity}
    return holding


def test_every_life_makes_sense() -> None:
    """All sequences of five moves: only legal steps, every message answered once, nothing left with the workers."""
    lives = 0
    frontier: list[tuple[Record, frozenset[str], frozenset[str]]] = [(BLANK, frozenset(), frozenset())]
    for depth in range(DEPTH):
        reached: dict[tuple[bytes, frozenset[str], frozenset[str]], tuple[Record, frozenset[str], frozenset[str]]] = {}
        for (record, holding, open_), move in itertools.product(frontier, MOVES):
            token = f"{depth}"
            after, workers, waiting = record, set(holding), set(open_)
            for event in events(move, record, token):
                before = after
                after, effects = advance(before, event, 1)
                check(before, after)
                workers = held(list(effects), workers, after)
                answered = [effect.update.id for effect in effects if isinstance(effect, Answer)]
                waiting |= {token} if isinstance(event, Update) else set()
                assert len(answered) == len(set(answered))
                assert set(answered) <= waiting, "nobody is answered twice"
                waiting -= set(answered)
            entry = find(after, "1")
            assert waiting == {u.id for u in entry.waiting} if entry is not None else not waiting
            wanted = {entry.spec.identity, entry.serving.identity} if entry is not None else set()
            wanted |= {former.identity for former in entry.former} if entry is not None else set()
            if entry is None or entry.state in (REGISTERED, FAILED):
                wanted = set()
            assert workers <= wanted, "what nobody wants is unloaded"
            lives += 1
            key = (shape(after), frozenset(workers), frozenset(waiting))
            reached.setdefault(key, (after, frozenset(workers), frozenset(waiting)))
        frontier = list(reached.values())
    assert lives > 2_000


def shape(record: Record) -> bytes:
    """The record itself: lives that led to the same one go on together."""
    return record.SerializeToString(deterministic=True)
