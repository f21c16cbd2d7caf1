"""A model's routes and what is outstanding on each of its lanes."""

from __future__ import annotations

from collections.abc import Sequence
from operator import sub
from typing import Final

from scurry.router import policy
from scurry.router.policy import Refusal
from scurry.wire.messages_pb2 import LaneCounters, Requests, RouterState, Routes, VersionRoute
from scurry.wire.names import LANES

REMEMBERED: Final = 4096
"""Models whose table a process remembers."""


class Lanes:
    """One version's route with the counters of its lanes."""

    __slots__ = ("counters", "draining", "max_batch_size", "route", "stamp", "version", "weight")

    def __init__(self, route: VersionRoute, counters: LaneCounters) -> None:
        self.route = route
        self.counters = counters
        self.version = route.version
        self.draining = route.draining
        self.weight = 0 if self.draining else route.weight
        self.max_batch_size = route.spec.max_batch_size or policy.DEFAULT_BATCH
        self.stamp = Requests(spec=route.spec, version=route.version).SerializeToString()  # the same on every message

    @property
    def outstanding(self) -> list[int]:
        """Requests sent and not known to be finished, per lane."""
        return list(map(sub, self.counters.sent, self.counters.done))

    @property
    def emptiest(self) -> int:
        """The lane with least outstanding."""
        outstanding = self.outstanding
        return outstanding.index(min(outstanding))

    @property
    def generation(self) -> int:
        """Which registration of the version this is."""
        return self.route.spec.generation

    @property
    def idle(self) -> bool:
        """Nothing is outstanding, nor on its way back."""
        return not self.counters.away and list(self.counters.sent) == list(self.counters.done)

    def send(self, lane: int, count: int) -> tuple[int, bool]:
        """Count `count` requests onto a lane; returns its new sequence and whether to ask for a report."""
        counters = self.counters
        while lane >= len(counters.sent):
            counters.sent.append(0)
            counters.done.append(0)
            counters.asked.append(0)
        sent = counters.sent[lane] + count
        counters.sent[lane] = sent
        report = policy.wants_report(lane, sent, counters.done[lane], counters.asked[lane], self.max_batch_size)
        if report or self.draining:
            counters.asked[lane] = sent
            return sent, True
        return sent, False

    def finish(self, lane: int, sequence: int) -> None:
        """The lane has finished all up to `sequence`; extra lanes that fell idle are forgotten."""
        counters = self.counters
        if 0 <= lane < len(counters.sent) and counters.done[lane] < sequence <= counters.sent[lane]:
            counters.done[lane] = sequence
            while len(counters.sent) > LANES and counters.sent[-1] == counters.done[-1]:
                del counters.sent[-1], counters.done[-1], counters.asked[-1]

    def count(self, count: int) -> None:
        """Count requests that are routed here for the first time."""
        self.counters.requests += count

    def refuse(self, count: int) -> None:
        """Count requests for which no lane had room."""
        self.counters.refused += count

    def unasked(self) -> list[tuple[int, int]]:
        """(lane, sequence) of the lanes that owe a report and were not asked for it; they count as asked now."""
        counters, flush = self.counters, []
        for lane, sent in enumerate(counters.sent):
            if counters.done[lane] < sent and counters.asked[lane] < sent:
                counters.asked[lane] = sent
                flush.append((lane, sent))
        return flush


class RouteTable:
    """The state `router` of one model, read from and written to bytes."""

    __slots__ = ("_lanes", "_state", "changed", "settled", "weights")

    def __init__(self, state: RouterState) -> None:
        self._adopt(state)
        self.changed = False  # to be kept
        self.settled = False  # a version may have fallen idle

    def _adopt(self, state: RouterState) -> None:
        self._state = state
        self._lanes = _lanes(state)
        #: versions that share the requests which name none, and their shares
        self.weights = [(lanes.version, lanes.weight) for lanes in self._lanes.values() if lanes.weight > 0]

    @classmethod
    def load(cls, value: bytes | None) -> RouteTable:
        """The table kept for a model, or an empty one."""
        return cls(RouterState.FromString(value) if value else RouterState())

    def save(self) -> bytes | None:
        """What to keep; None when the model is gone."""
        return self._state.SerializeToString() if self.known else None

    @property
    def known(self) -> bool:
        """Whether the registry ever told of this model and did not take it back."""
        return bool(self._state.routes.versions or self._state.routes.pending)

    @property
    def epoch(self) -> int:
        """Grows with each change of the routes."""
        return self._state.routes.epoch

    def replace(self, routes: Routes) -> None:
        """Put new routes in force, keeping the counters of versions that stay; older routes have no effect."""
        if self.known and routes.epoch < self.epoch:
            return
        counters = {state.version: state for state in self._state.versions}
        fresh = RouterState(routes=routes)
        fresh.routes.ClearField("announce")
        for route in routes.versions:
            kept = counters.get(route.version)
            if kept is not None:
                fresh.versions.append(kept)
            else:
                none = [0] * LANES
                fresh.versions.add(version=route.version, sent=none, done=none, asked=none)
        self._adopt(fresh)
        self.changed = self.settled = True

    def finish(self, version: str, lane: int, sequence: int) -> None:
        """A lane has finished everything up to `sequence`."""
        lanes = self.lanes(version)
        if lanes is not None:
            lanes.finish(lane, sequence)
            self.changed = self.settled = True

    def finish_one(self, version: str, lane: int) -> None:
        """A user function has finished one more request of a lane."""
        lanes = self.lanes(version)
        if lanes is not None and 0 <= lane < len(lanes.counters.done):
            self.finish(version, lane, lanes.counters.done[lane] + 1)

    def leave(self, version: str, count: int) -> None:
        """So many requests came back from a lost worker; with a negative count, are under way or answered again."""
        lanes = self.lanes(version)
        away = max(0, lanes.counters.away + count) if lanes is not None else 0
        if lanes is not None and away != lanes.counters.away:
            lanes.counters.away = away
            self.changed = self.settled = True

    def __getitem__(self, version: str) -> Lanes:
        return self._lanes[version]

    def lanes(self, version: str) -> Lanes | None:
        """A version that is routed, draining ones included."""
        return self._lanes.get(version)

    @property
    def draining(self) -> list[Lanes]:
        """The versions that finish what they have."""
        return [lanes for lanes in self._lanes.values() if lanes.draining]

    def resolve(self, asked: str) -> Lanes | Refusal:
        """The lanes of the version behind a version or alias that a request names."""
        routes = self._state.routes
        version = routes.aliases.get(asked, asked)
        lanes = self._lanes.get(version)
        if lanes is not None and not lanes.draining:
            return lanes
        if version in routes.pending:
            return Refusal("model_not_ready", f"Version {asked!r} is registered but not ready.")
        if not self.known:
            return Refusal("model_not_found", "No model of this name is registered.")
        return Refusal("version_not_found", f"No version or alias {asked!r}{_choice(self._names())}")

    def nothing_ready(self) -> Refusal:
        """Why a request that names no version finds none."""
        if self.known:
            return Refusal("model_not_ready", "The model is registered but no version of it is ready.")
        return Refusal("model_not_found", "No model of this name is registered.")

    def _names(self) -> Sequence[str]:
        ready = [lanes.version for lanes in self._lanes.values() if not lanes.draining]
        return [*ready, *sorted(self._state.routes.aliases)]

    def __repr__(self) -> str:
        parts = [
            f"{lanes.version}: weight {lanes.weight}, {sum(lanes.outstanding)} outstanding"
            + (", draining" if lanes.draining else "")
            for lanes in self._lanes.values()
        ]
        return f"<RouteTable epoch {self.epoch}; {'; '.join(parts) or 'nothing routed'}>"


class Tables:
    """Tables as they were left, to save parsing: good only as long as the state that comes is the state that was kept.

    What a process remembers never decides anything: where it does not fit, the state is read.
    """

    __slots__ = ("_tables",)

    def __init__(self) -> None:
        self._tables: dict[str, tuple[bytes | None, RouteTable]] = {}

    def take(self, model: str, state: bytes | None) -> RouteTable:
        """The table of this state. It is forgotten until it is put back: a pass that fails leaves nothing behind."""
        kept, table = self._tables.pop(model, (None, None))
        if table is None or kept != state:
            return RouteTable.load(state)
        table.changed = table.settled = False
        return table

    def put(self, model: str, state: bytes | None, table: RouteTable) -> None:
        """Remember the table of a state; of models that do not exist nothing is remembered."""
        if state is not None:
            if len(self._tables) >= REMEMBERED:
                del self._tables[next(iter(self._tables))]
            self._tables[model] = state, table

    def __repr__(self) -> str:
        return f"<Tables of {len(self._tables)} models>"


def _lanes(state: RouterState) -> dict[str, Lanes]:
    return {route.version: Lanes(route, counters) for route, counters in zip(state.routes.versions, state.versions)}  # noqa: B905


def _choice(names: Sequence[str]) -> str:
    return f"; there are {', '.join(names)}." if names else "."
